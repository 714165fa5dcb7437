// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace convoy::scheduler {

/// s(u): how much an update counts that was trained from a model u versions old.
struct Staleness {
  enum class Function : std::uint8_t {
    kConstant,    ///< 1
    kPolynomial,  ///< (u + 1)^-a
    kHinge,       ///< 1 where u <= b, else 1 / (a (u - b) + 1)
  };
  Function function = Function::kPolynomial;
  double a = 0.5;  ///< larger: old updates count for less
  double b = 4.0;  ///< larger: more versions count in full (hinge only)
};

/// s(u) in (0, 1]. @throws ContractError for u < 0.
[[nodiscard]] double staleness_weight(const Staleness& staleness, std::int64_t versions);

/// FedCompass: w += sum c_i delta_i, c = alpha s(u) n / (sum of n over all clients that take part
/// in the federation, whether they stand in this sum or not). arXiv 2309.14675; its published code
/// lets the weight grow with staleness, which this does not.
[[nodiscard]] double fedcompass_weight(double alpha, double staleness, double samples,
                                       double all_samples);

/// FedAvg: w += sum c_i delta_i, c = n / (sum of n over this round's participants).
[[nodiscard]] double fedavg_weight(double samples, double participants_samples);

/// FedAsync: w = (1 - c) w + c x, c = alpha s(u). arXiv 1903.03934.
[[nodiscard]] double fedasync_weight(double alpha, double staleness);

/// FedBuff: w += sum c_i delta_i, c = eta s(u) / K over K updates. arXiv 2106.06639.
[[nodiscard]] double fedbuff_weight(double server_rate, double staleness, std::int64_t updates);

/// The weights with which floating-point buffers (BatchNorm statistics) are averaged as values,
/// b = (1 - sum c_i) b + sum c_i b_i: the same, scaled down where their sum is above 1.
[[nodiscard]] std::vector<double> buffer_weights(std::span<const double> weights);

}  // namespace convoy::scheduler
