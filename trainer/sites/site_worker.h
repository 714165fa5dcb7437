// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/federated/local_training.h"
#include "trainer/federated/model_update.h"

namespace convoy::trainer {

/// One round that a site is to train.
struct SiteRound {
  std::int64_t round = 0;
  std::int64_t steps = 1;
  std::int64_t position = 0;  ///< batches that the site has taken before
  std::int64_t updates = 0;  ///< that had reached the server: the place in the schedule of the rate
};

/// Trains a site's rounds: one process, or rank 0 of an MPI job that trains data-parallel. One
/// thread.
class SiteWorker {
 public:
  virtual ~SiteWorker() = default;
  /// Steps from `start` on the site's next batches; as LocalTrainer::run().
  [[nodiscard]] virtual LocalResult train(const SiteRound& round, const ModelState& start,
                                          const KeepGoing& keep_going) = 0;
  /// Batches that the site has taken after the newest round.
  [[nodiscard]] virtual std::int64_t position() const = 0;
  /// n of the aggregation's weights: samples that are trained on, of all ranks.
  [[nodiscard]] virtual std::int64_t samples() const = 0;
  [[nodiscard]] virtual std::int64_t ranks() const { return 1; }
  /// For names, types and shapes.
  [[nodiscard]] virtual const Model& model() const = 0;
};

}  // namespace convoy::trainer
