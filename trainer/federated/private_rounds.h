// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "trainer/federated/local_training.h"
#include "trainer/federated/plain_rounds.h"
#include "trainer/federated/round_rule.h"
#include "trainer/privacy/entropy.h"
#include "trainer/privacy/ledger.h"
#include "trainer/privacy/privacy_config.h"

namespace convoy::trainer {

/// What one site needs for rounds that keep [privacy].
struct PrivateSite {
  PrivacyConfig config;
  /// On rank 0 of the site; null on its other ranks.
  std::unique_ptr<privacy::Ledger> ledger;
  /// Each rank's own.
  std::unique_ptr<privacy::Entropy> entropy;
  /// The site's ranks, each with a part of its records; null: one rank. Borrowed.
  comm::Communicator* ranks = nullptr;
};

/// Rounds of a site with differential privacy: what leaves LocalTrainer has been clipped and noised
/// and stands in the ledger, on disk. Steps beyond the budget are not made. Losses and the true
/// size of batches are not told, nor does a round end where a loss is not finite: that would be a
/// release without noise.
///
/// per_sample: Algorithm 1 of arXiv:1607.00133 with Poisson batches; the sum is divided by the
/// expected batch, q times the site's records, which are taken for known. per_update: plain steps,
/// then the update as one vector (arXiv:1712.07557, without the server).
///
/// Over several ranks begin(), gradient() and end() are collective.
/// @param steps  how per_update makes its steps, the same on all ranks of the site; null: as
///   PlainRounds.
/// @throws ConfigError for a model that could tell more, see privacy::require_private().
[[nodiscard]] std::unique_ptr<RoundRule> make_private_rounds(
    PrivateSite site, const Model& model, const LocalTrainingConfig& training,
    std::unique_ptr<RoundRule> steps = nullptr);

}  // namespace convoy::trainer
