// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace convoy::trainer::privacy {

/// One release of the subsampled Gaussian mechanism: every record takes part with probability q,
/// alone and independent of the others; N(0, (sigma C)^2) is added to a sum that one record moves
/// by at most C in L2.
struct Mechanism {
  double q = 1.0;      ///< in [0, 1]
  double sigma = 1.0;  ///< above 0; infinite: nothing is released

  auto operator<=>(const Mechanism&) const = default;
};

/// Orders of the Renyi divergence that are looked at.
inline constexpr int kLowestOrder = 2;
inline constexpr int kHighestOrder = 256;

/// Renyi divergence by order, kLowestOrder first. Of several releases: the sum of their curves.
using RdpCurve = std::vector<double>;

/// Curve of one release. Infinite where no double can hold it. Pure.
/// Paper: Mironov, Talwar, Zhang, arXiv:1908.10530, section 3.3, integer orders:
///   A(a) - 1 = sum_{k=2..a} binomial(a, k) (1-q)^(a-k) q^k (exp((k^2-k) / (2 sigma^2)) - 1),
///   rdp(a) = log A(a) / (a-1).
/// Taking 1 off term by term (the binomial weights add up to 1) is ours: it keeps full relative
/// accuracy where A(a) is so near to 1 that its logarithm would be rounding alone.
/// @throws ContractError for a q or sigma out of range.
[[nodiscard]] RdpCurve rdp_of(const Mechanism& mechanism);

/// What is spent, and by which order this was found.
struct Spent {
  double epsilon = 0.0;
  int order = 0;  ///< 0: nothing was released
};

/// The best (epsilon, delta) that follows from `curve`:
///   min over orders of rdp + log((a-1)/a) - (log delta + log a)/(a-1), not below 0.
/// Paper: Canonne, Kamath, Steinke, arXiv:2004.00010, proposition 12.
/// @param delta  in (0, 1).
[[nodiscard]] Spent epsilon_of(const RdpCurve& curve, double delta);

/// Adds releases up. The curve is made from the number of steps of each mechanism, mechanisms in
/// ascending order: the same steps give the same bits, however they were cut into rounds and in
/// whichever order they came. One thread.
class Accountant {
 public:
  /// @throws ContractError for a mechanism out of range or negative steps.
  void add(const Mechanism& mechanism, std::int64_t steps);

  [[nodiscard]] Spent spent(double delta) const;
  /// What it would be with `steps` more.
  [[nodiscard]] Spent spent_with(const Mechanism& mechanism, std::int64_t steps,
                                 double delta) const;
  /// Zeros where nothing was released.
  [[nodiscard]] RdpCurve curve() const;
  [[nodiscard]] std::int64_t steps() const;
  /// Steps by mechanism.
  [[nodiscard]] std::vector<std::pair<Mechanism, std::int64_t>> releases() const;

 private:
  struct Entry {
    std::int64_t steps = 0;
    RdpCurve one;  ///< of one step
  };
  std::map<Mechanism, Entry> entries_;
};

/// What a site is ready to give away of its data in all.
struct Budget {
  double epsilon = 0.0;
  double delta = 1e-5;
};

/// Most steps that no asked-for number exceeds.
inline constexpr std::int64_t kMostSteps = std::int64_t{1} << 53;

/// The largest number of steps, at most `wanted`, that leaves what is spent within `budget`: one
/// more would exceed it, by the very sum that is then accounted.
[[nodiscard]] std::int64_t steps_allowed(const Accountant& spent, const Budget& budget,
                                         const Mechanism& mechanism,
                                         std::int64_t wanted = kMostSteps);

/// The smallest sigma, to a relative 1e-9 and never too small, with which `steps` steps at rate `q`
/// stay within `budget`; nothing where none does: the orders that are looked at have an epsilon
/// that no sigma gets below (see smallest_epsilon()).
[[nodiscard]] std::optional<double> sigma_for(const Accountant& spent, const Budget& budget,
                                              double q, std::int64_t steps);

/// What any release costs at least by this accounting, however small it is.
[[nodiscard]] double smallest_epsilon(double delta);

}  // namespace convoy::trainer::privacy
