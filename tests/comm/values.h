// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "comm/communicator.h"

namespace convoy::tests {

/// False where the backend, NCCL, chooses the order of a sum, and may round between the steps of
/// it. The values are then such that every sum of them is exact, in any order: what differs from a
/// test of rank order is stated here and in reduction_difference(), and nowhere else.
#ifdef CONVOY_TEST_SUMS_IN_ANY_ORDER
inline constexpr bool kSumsInRankOrder = false;
#else
inline constexpr bool kSumsInRankOrder = true;
#endif

template <typename T>
[[nodiscard]] T from_double(double value) {
  if constexpr (std::is_same_v<T, Half>) return to_half(static_cast<float>(value));
  if constexpr (std::is_same_v<T, BFloat16>) return to_bfloat16(static_cast<float>(value));
  if constexpr (std::is_arithmetic_v<T>) return static_cast<T>(value);
}

template <typename T>
[[nodiscard]] std::vector<T> draw_values(int rank, std::size_t numel, std::uint64_t salt) {
  Random random{static_cast<std::uint64_t>(rank) + 1, numel, salt};
  std::vector<T> values(numel);
  for (auto& value : values) {
    const std::uint64_t draw = random();
    if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(draw);
    } else if constexpr (!kSumsInRankOrder) {
      value = from_double<T>((static_cast<double>(draw % 33) - 16.0) / 4.0);
    } else {
      const double mantissa = static_cast<double>(draw >> 11) * 0x1p-52 - 1.0;
      value = from_double<T>(mantissa * static_cast<double>(1 << (draw & 7)));
    }
  }
  return values;
}

/// A rank's numbers: of many magnitudes, so that sums depend on their order, and different on every
/// rank. Drawn once. But see kSumsInRankOrder.
template <typename T>
[[nodiscard]] const std::vector<T>& values_of(int rank, std::size_t numel, std::uint64_t salt = 0) {
  static std::mutex mutex;
  static std::map<std::tuple<int, std::size_t, std::uint64_t>, std::vector<T>> known;
  const std::lock_guard lock(mutex);
  auto [entry, is_new] = known.try_emplace({rank, numel, salt});
  if (is_new) entry->second = draw_values<T>(rank, numel, salt);
  return entry->second;
}

template <typename T>
[[nodiscard]] auto widen(T value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return to_float(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::uint64_t>(value);  // sums wrap round
  } else {
    return value;
  }
}

/// One element of a reduction, by the definition: from rank 0 upwards, rounded once.
template <typename T>
[[nodiscard]] T reduce_in_rank_order(const std::vector<std::vector<T>>& ranks, std::size_t i,
                                     comm::ReduceOp op) {
  if (op == comm::ReduceOp::kMin || op == comm::ReduceOp::kMax) {
    T best = ranks[0][i];
    for (const auto& values : ranks) {
      bool better = op == comm::ReduceOp::kMin;
      if constexpr (std::is_integral_v<T>) {
        better = better ? values[i] < best : values[i] > best;
      } else {
        better = better ? widen(values[i]) < widen(best) : widen(values[i]) > widen(best);
      }
      if (better) best = values[i];
    }
    return best;
  }
  auto sum = widen(ranks[0][i]);
  for (std::size_t r = 1; r < ranks.size(); ++r) sum = sum + widen(ranks[r][i]);
  if (op == comm::ReduceOp::kMean) {
    sum = sum * (decltype(sum){1} / static_cast<decltype(sum)>(ranks.size()));
  }
  if constexpr (std::is_same_v<T, Half>) return to_half(sum);
  if constexpr (std::is_same_v<T, BFloat16>) return to_bfloat16(sum);
  if constexpr (std::is_arithmetic_v<T>) return static_cast<T>(sum);
}

/// What the reduction of everybody's values_of() must give; computed once for all ranks and chunks.
template <typename T>
[[nodiscard]] const std::vector<T>& expected_reduction(int ranks, std::size_t numel,
                                                       std::uint64_t salt, comm::ReduceOp op) {
  static std::mutex mutex;
  static std::map<std::tuple<int, std::size_t, std::uint64_t, comm::ReduceOp>, std::vector<T>>
      known;
  const std::lock_guard lock(mutex);
  auto [entry, is_new] = known.try_emplace({ranks, numel, salt, op});
  if (is_new) {
    std::vector<std::vector<T>> inputs;
    for (int r = 0; r < ranks; ++r) inputs.push_back(values_of<T>(r, numel, salt));
    for (std::size_t i = 0; i < numel; ++i) {
      entry->second.push_back(reduce_in_rank_order(inputs, i, op));
    }
  }
  return entry->second;
}

/// Empty when both have the same bits, else where they differ first.
template <typename T>
[[nodiscard]] std::string first_difference(std::span<const T> a, std::span<const T> b) {
  if (a.size() != b.size()) return "sizes differ";
  if (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0) return {};
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0) return "element " + std::to_string(i);
  }
  return {};
}
template <typename T>
[[nodiscard]] std::string first_difference(const std::vector<T>& a, const std::vector<T>& b) {
  return first_difference(std::span<const T>(a), std::span<const T>(b));
}

/// Empty when `values` are what the reduction of everybody's values_of() must give: to the bit, but
/// for a mean whose order and roundings are the backend's choice.
template <typename T>
[[nodiscard]] std::string reduction_difference(const std::vector<T>& values, int ranks,
                                               std::uint64_t salt, comm::ReduceOp op) {
  const auto& expected = expected_reduction<T>(ranks, values.size(), salt, op);
  if constexpr (!kSumsInRankOrder && !std::is_integral_v<T>) {
    if (op == comm::ReduceOp::kMean) {
      // Values up to 4; each is multiplied, rounded and added once.
      constexpr int kBits = std::is_same_v<T, BFloat16> ? 8 : std::is_same_v<T, Half> ? 11 : 24;
      const double bound = 8.0 * (ranks + 1) / static_cast<double>(1 << kBits);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto off = static_cast<double>(widen(values[i]) - widen(expected[i]));
        if (off > bound || off < -bound) return "element " + std::to_string(i);
      }
      return {};
    }
  }
  return first_difference(values, expected);
}

}  // namespace convoy::tests
