// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "compress/update/update_codec.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/messages.h"
#include "trainer/federated/report_queue.h"
#include "trainer/federated/residual_rounds.h"
#include "trainer/federated/signs_of_life.h"

namespace convoy::trainer {

/// Clients that are ranks: client c is rank c + 1, where serve_client() runs. A thread listens to
/// all of them, so that what arrives is taken in whatever the server is doing.
class RemoteClients final : public ClientPool {
 public:
  /// Borrows `communicator`. @param like  a state of the model, for types and shapes.
  /// @param codec  of updates; null: dense. Borrowed.
  /// @param patience  a client that has given no sign of life for so long is not waited for.
  RemoteClients(comm::Communicator& communicator, ModelState like,
                const compress::UpdateCodec* codec, std::chrono::milliseconds patience);
  /// end(), where it has not been called. Not when an exception is on its way out: then the job
  /// ends as a whole.
  ~RemoteClients() override;

  void start(Assignment assignment) override;
  [[nodiscard]] std::optional<ClientReport> report_of(std::int64_t client,
                                                      WallTime until) override {
    return handed_out(reports_.of(client, until));
  }
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override {
    return handed_out(reports_.next(until));
  }
  void take_back(std::int64_t client) override { taken_back_.insert(client); }
  [[nodiscard]] std::optional<WallTime> last_sign(std::int64_t client) const override;
  void stop() override;
  /// Where clients are dead the communicator is poisoned.
  std::vector<std::int64_t> end() override;
  /// They travel dense: a model from each client.
  void ask_for_residuals() override;
  [[nodiscard]] std::optional<std::vector<NamedTensor>> residuals() override;
  void restore_residuals(const std::vector<NamedTensor>& residuals) override;

 private:
  /// A report on its way.
  struct Incoming {
    WallTime not_before;
    std::shared_ptr<messages::Header> header;
    std::shared_ptr<messages::Bytes> payload;
    comm::Request request;  ///< of the header, then of the payload
    ClientReport report;
  };
  /// The sign of life that a client gives next.
  struct NextSign {
    bool gone = false;  ///< the last one was its farewell
    std::shared_ptr<messages::Sign> sign;
    comm::Request request;
  };

  void send(std::int64_t client, messages::Order order, messages::Bytes payload);
  void listen(const std::stop_token& stop);
  /// Moves every message on; true when something has come in.
  bool poll();
  bool hear_signs(WallTime now);
  void receive_sign(std::int64_t client);
  /// True when this one has come in whole.
  bool poll(std::int64_t client, Incoming& incoming);
  /// @throws CommError for sizes that no update has, or another client's number.
  void check(std::int64_t client, const messages::Header& header) const;
  void unpack(Incoming& incoming) const;
  void take_update(std::span<const std::uint8_t> bytes, ClientReport& report) const;
  [[nodiscard]] std::optional<ClientReport> handed_out(std::optional<ClientReport> report);
  [[nodiscard]] bool is_dead(std::int64_t client) const;
  [[nodiscard]] bool has_ended(std::int64_t client) const;
  void drop_requests();

  comm::Communicator& communicator_;
  ModelState like_;
  const compress::UpdateCodec* codec_;
  std::chrono::milliseconds patience_;
  std::map<std::int64_t, std::vector<comm::Request>> sent_;  ///< by client, its newest orders
  std::set<std::int64_t> taken_back_;        ///< clients to be told so with their next order
  std::optional<ResidualRounds> residuals_;  ///< nothing: updates are dense
  int exceptions_;
  bool stopped_ = false;
  bool ended_ = false;
  ReportQueue reports_;

  mutable std::mutex mutex_;                   // guards what follows
  std::map<std::int64_t, Incoming> incoming_;  ///< by client
  std::vector<NextSign> next_signs_;           ///< by client
  SignsOfLife signs_of_life_;

  std::jthread listener_;  ///< last: it ends before anything else goes
};

}  // namespace convoy::trainer
