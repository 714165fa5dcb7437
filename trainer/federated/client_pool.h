// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/federated/local_training.h"
#include "trainer/federated/model_update.h"
#include "trainer/federated/residual_owner.h"

namespace convoy::trainer {

using WallTime = std::chrono::steady_clock::time_point;

/// One round that a client is to train.
struct Assignment {
  std::int64_t client = 0;
  std::int64_t round = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  SharedState start;
  /// What must be sent so that the client has the parameters of `start`; null: all of them.
  std::shared_ptr<const std::vector<std::byte>> message = nullptr;
  /// Batches that the client has taken before this round.
  std::int64_t position = 0;
  /// That had reached the server when the round was assigned: its place in the schedule of the
  /// learning rate.
  std::int64_t updates = 0;
  /// When the answer is expected, on any clock: what is due first is trained first.
  double due = 0.0;
  std::optional<std::int64_t> group = std::nullopt;  ///< arrival group, for people
  std::optional<double> latest = std::nullopt;       ///< when it is late, on any clock
  /// By the client's own measured speed; nothing before its first report.
  std::optional<double> seconds_per_step = std::nullopt;
  /// The report is not handed out before.
  WallTime not_before{};
};

/// What a client answers.
struct ClientReport {
  std::int64_t client = 0;
  std::int64_t round = 0;
  LocalResult result;
  std::int64_t position = 0;       ///< batches that the client has taken after this round
  std::vector<std::byte> payload;  ///< the compressed update, until it is decoded into `result`
  std::size_t wire_bytes = 0;      ///< of update and buffers
  double training_seconds = 0.0;   ///< real ones
  bool measures_speed = true;      ///< see scheduler::Update
  WallTime ready{};                ///< when it had come in whole and might be handed out
};

/// The clients of a federation as its server sees them, wherever they are. One thread calls.
class ClientPool : public ResidualOwner {
 public:
  /// Lets the client train; returns at once. A client has at most one assignment at a time.
  virtual void start(Assignment assignment) = 0;
  /// The client's report, whatever not_before says, or nothing when there is none until `until`.
  /// @throws what training threw; CommError where the connection has failed.
  [[nodiscard]] virtual std::optional<ClientReport> report_of(std::int64_t client,
                                                              WallTime until) = 0;
  /// The next report that may be handed out, or nothing when there is none until `until`.
  /// @throws as report_of().
  [[nodiscard]] virtual std::optional<ClientReport> next(WallTime until) = 0;
  /// The server has refused the client's newest update: what compression put into it is owed
  /// again. Before the client's next start().
  virtual void take_back(std::int64_t client) = 0;

  /// When the client gave its last sign of life; nothing where it cannot die alone.
  [[nodiscard]] virtual std::optional<WallTime> last_sign(std::int64_t /*client*/) const {
    return std::nullopt;
  }
  /// The run is over, and nothing of what clients are doing will be used: they stop after the step
  /// that they are in. No start() after this.
  virtual void stop() = 0;
  /// stop(), and waits until all have. @return those that are dead: nobody has waited for them.
  virtual std::vector<std::int64_t> end() {
    stop();
    return {};
  }

  /// Before the first start(). @throws ConfigError where they are of another model.
  virtual void restore_residuals(const std::vector<NamedTensor>& residuals) = 0;
};

}  // namespace convoy::trainer
