// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "compress/plan/plan.h"

namespace convoy::tests {

/// What makes random tables differ.
enum class Kind {
  kIntegers,    ///< small integers: many equal sums
  kAnything,    ///< bytes and errors independent of each other: far from convex
  kQuantize,    ///< bits 1..levels on layers of very different sizes
  kPowerLaw,    ///< ranks 1..levels, errors that fall by a power of the rank
  kCorrelated,  ///< error + bytes nearly constant: the bound says little
  kAlike,       ///< layers of one size with nearly equal errors
  kMagnitudes,  ///< errors over 40 decades, and bytes over 9
};
inline constexpr Kind kAllKinds[] = {Kind::kIntegers,  Kind::kAnything,   Kind::kQuantize,
                                     Kind::kPowerLaw,  Kind::kCorrelated, Kind::kAlike,
                                     Kind::kMagnitudes};

[[nodiscard]] compress::Table random_table(Kind kind, int layers, int levels, Random& random);

/// The least bytes of all plans whose error, summed in table order, is within the budget, by trying
/// every one of them. Nothing if no plan is.
[[nodiscard]] std::optional<double> brute_force(const compress::Table& table, double max_error,
                                                compress::ErrorMetric metric);

/// Sums in table order.
[[nodiscard]] double bytes_of(const compress::Table& table, const compress::Choice& choice);
[[nodiscard]] double error_of(const compress::Table& table, const compress::Choice& choice,
                              compress::ErrorMetric metric);

/// Holds for every plan that lgreco() returns.
void expect_consistent(const compress::Table& table, const compress::Choice& choice,
                       compress::ErrorMetric metric);

}  // namespace convoy::tests
