// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "trainer/job.h"

namespace convoy::trainer {

/// A bound on epsilon is none without one on delta: at a delta near 1 any release has epsilon 0.
inline constexpr double kDeltaOfMaxEpsilon = 1e-5;

/// What a site lets a server ask for: it belongs to the site's administrator, and a job that comes
/// from a server never changes it. The defaults hold for sites without a policy file.
struct SitePolicy {
  // [models]
  /// Names of convoy's own models that may be trained; empty: all of them.
  std::vector<std::string> models;
  /// SHA-256 of the TorchScript files that may be run: they can read and write the site's files.
  /// Empty: none.
  std::vector<Sha256> torchscript;

  // [training]
  std::int64_t max_local_steps = 0;  ///< of a round, which is cut to them; 0: any number

  // [data]
  /// data.name may be one of these; empty: any, or csv alone where columns or label say something.
  std::vector<std::string> kinds;
  std::vector<std::string> columns;  ///< csv: that may be read; empty: any
  /// csv: the column that may be learnt; empty: any of `columns`.
  std::string label;
  std::int64_t min_samples = 1;  ///< with fewer the site does not take part

  // [privacy]
  /// Refuse jobs without [privacy]. min_sigma and max_epsilon imply it.
  bool require_privacy = false;
  double min_sigma = 0.0;    ///< jobs with less noise are refused; 0: any
  double max_epsilon = 0.0;  ///< the budget is no larger, whatever the job says; 0: the job's
  /// Epsilon is counted at no larger delta; 0: the job's, or kDeltaOfMaxEpsilon with max_epsilon.
  double max_delta = 0.0;
  std::string ledger;  ///< folder of the ledgers; needed for jobs with [privacy]
  /// Let jobs name the seed of the noise, which can then be taken off again. For tests only.
  bool allow_insecure_seed = false;

  [[nodiscard]] bool needs_privacy() const {
    return require_privacy || min_sigma > 0.0 || max_epsilon > 0.0;
  }
};

/// Why the policy forbids the job, in one line of printable text.
/// @param torchscript  hash of the file that the server would send; none: one of convoy's own
/// models.
[[nodiscard]] std::optional<std::string> refusal_of(const SitePolicy& policy, const Job& job,
                                                    const std::optional<Sha256>& torchscript);
/// The same of a site with so many samples.
[[nodiscard]] std::optional<std::string> refusal_of_samples(const SitePolicy& policy,
                                                            std::int64_t samples);

/// The job as the site trains it: budgets cut to the policy's, the site's own ledger, and none of
/// the server's paths. Whoever trains fills in where the site's data and script are.
[[nodiscard]] Job apply(const SitePolicy& policy, Job job);

/// Steps of a round in which the server asks for `wanted`.
[[nodiscard]] std::int64_t steps_allowed(const SitePolicy& policy, std::int64_t wanted);

}  // namespace convoy::trainer
