// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "compress/plan/plan.h"

namespace convoy::compress::internal {

/// Bytes and error of a plan, both summed in table order: the sums that are promised.
struct Totals {
  double bytes = 0.0;
  double error = 0.0;
};
[[nodiscard]] Totals totals(const Table& table, ErrorMetric metric,
                            const std::vector<std::size_t>& levels);

/// The best plan so far. Only plans that keep to the budget exactly get in.
class Incumbent {
 public:
  /// `table` must outlive it.
  Incumbent(const Table& table, double max_error, ErrorMetric metric)
      : table_(table), max_error_(max_error), metric_(metric) {}

  /// Takes the plan if it has fewer bytes: of equal ones the first offered stays. @returns whether
  /// it is within the budget.
  bool offer(const std::vector<std::size_t>& levels);

  /// Of the same table and budget, with another plan, if that is within the budget.
  [[nodiscard]] Incumbent restarted(const std::vector<std::size_t>& levels) const {
    Incumbent other(table_, max_error_, metric_);
    (void)other.offer(levels);
    return other;
  }

  /// Infinity while there is none.
  [[nodiscard]] double bytes() const { return best_.bytes; }
  [[nodiscard]] double error() const { return best_.error; }
  [[nodiscard]] const std::vector<std::size_t>& levels() const { return levels_; }

 private:
  const Table& table_;
  double max_error_;
  ErrorMetric metric_;
  std::vector<std::size_t> levels_;
  Totals best_{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
};

}  // namespace convoy::compress::internal
