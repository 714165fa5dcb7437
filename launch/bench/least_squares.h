// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace convoy::launch {

/// One equation: the sum of coefficients times unknowns should be `value`. All equations of a
/// system have as many coefficients.
struct Equation {
  std::vector<double> coefficients;
  double value = 0.0;
};

/// The unknowns, none negative, with the least sum of squared errors. Exact; of several such
/// solutions one in which some unknowns are 0. For a few unknowns: takes 2^unknowns times
/// unknowns^3.
/// @throws ContractError for no equations, equations of different lengths, more than 8 unknowns.
[[nodiscard]] std::vector<double> nonnegative_least_squares(const std::vector<Equation>& equations);

}  // namespace convoy::launch
