// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/summary.h"

namespace convoy::trainer {

/// A site of the run, as long as the run lasts.
struct EnrolledSite {
  std::int64_t client = 0;   ///< its number in the scheduler
  std::int64_t samples = 1;  ///< n of the weights
  bool has_left = false;     ///< for good: by itself, or removed
  /// What it has found on its own share of its newest model that became part of the run's.
  std::optional<Evaluation> validation;
};

/// Which site is which client. One thread.
class SiteBook {
 public:
  /// @throws ContractError for a name or a number that is taken.
  void add(const std::string& name, const EnrolledSite& site);
  [[nodiscard]] const EnrolledSite* find(std::string_view name) const;
  /// Of an enrolled client.
  [[nodiscard]] const std::string& name_of(std::int64_t client) const;
  void has_left(std::int64_t client);
  /// @param found  taken if it is finite.
  void validated(std::int64_t client, const Evaluation& found);
  /// Means over the newest validations of all sites, each weighted by its samples; of those that
  /// have none, nothing. Without any: NaN, and no samples.
  [[nodiscard]] Evaluation judgement() const;
  [[nodiscard]] const std::map<std::string, EnrolledSite, std::less<>>& all() const {
    return sites_;
  }

  /// `samples` of a site that joins later, so that they are at most `share` of all sites'; at least
  /// 1. @param share  in (0, 1].
  [[nodiscard]] std::int64_t bounded_latecomer(std::int64_t samples, double share) const;

  [[nodiscard]] nlohmann::json save() const;
  void load(const nlohmann::json& saved);

 private:
  std::map<std::string, EnrolledSite, std::less<>> sites_;
  std::map<std::int64_t, std::string> names_;
};

/// Sample counts of which none is more than `share` of their sum, as near to `samples` as that can
/// be: the largest are cut. @param share  in (0, 1]; less than an equal share makes all equal.
[[nodiscard]] std::vector<std::int64_t> bounded_samples(std::vector<std::int64_t> samples,
                                                        double share);

}  // namespace convoy::trainer
