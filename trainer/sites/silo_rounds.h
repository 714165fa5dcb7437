// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/round_rule.h"
#include "trainer/job.h"
#include "trainer/parallel/data_parallel.h"
#include "trainer/speed_balance.h"
#include "trainer/stopwatch.h"

namespace convoy::trainer {

/// Plain rounds of a site whose ranks train data-parallel: a step's gradient is the mean over the
/// site's next global batch, of which each rank computes its part. With one rank the bits are those
/// of PlainRounds. All calls are collective; losses and samples are those of all ranks, on all.
class SiloRounds final : public RoundRule {
 public:
  /// Borrows all but `client`. `parallel` averages the model that gradient() is given.
  SiloRounds(comm::Communicator& site, DataParallel& parallel, const Job& job,
             const ClientData& client);

  /// What goes wrong on one rank before its backward is thrown on all, by the others with the name
  /// of the rank: see failed_together().
  [[nodiscard]] StepDone gradient(Model& model, const Dataset& dataset,
                                  ClientData& client) override;

  /// Null unless ranks take parts according to their speed.
  [[nodiscard]] const SpeedBalance* balance() const { return balance_ ? &*balance_ : nullptr; }
  /// gradient() has thrown on all ranks: none waits for another.
  [[nodiscard]] bool failed_together() const { return failed_together_; }

 private:
  /// What the ranks tell each other in a step, while backward goes on: their parts of the mean
  /// loss, how many of them found theirs not finite, and how many have failed.
  using Votes = std::array<double, 3>;

  void balance_parts(ClientData& client);
  /// Undefined where this rank has no samples, or has failed.
  [[nodiscard]] torch::Tensor own_loss(Model& model, const Dataset& dataset,
                                       const ClientData& client,
                                       const ClientData::NextBatch& batch);
  [[nodiscard]] torch::Tensor forward(Model& model, const Dataset& dataset,
                                      const ClientData& client,
                                      const ClientData::NextBatch& batch) const;
  void emulate_slowness(std::int64_t samples) const;

  comm::Communicator& site_;
  DataParallel& parallel_;
  const Job& job_;
  std::optional<SpeedBalance> balance_;
  std::int64_t steps_ = 0;  ///< of all rounds
  Stopwatch watch_;
  std::exception_ptr failure_;  ///< of this rank's forward
  bool failed_together_ = false;
};

}  // namespace convoy::trainer
