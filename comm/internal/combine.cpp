// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/combine.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

namespace convoy::comm::internal {
namespace {

// A block of accumulators stays in the first-level cache while all inputs are added to it.
constexpr std::size_t kBlock = 1024;

template <typename T>
struct Accumulator {
  using type = T;
  static T load(T value) { return value; }
  static T store(T value) { return value; }
};
template <>
struct Accumulator<Half> {
  using type = float;
  static float load(Half value) { return to_float(value); }
  static Half store(float value) { return to_half(value); }
};
template <>
struct Accumulator<BFloat16> {
  using type = float;
  static float load(BFloat16 value) { return to_float(value); }
  static BFloat16 store(float value) { return to_bfloat16(value); }
};

struct Sum {
  template <typename A>
  static A apply(A a, A b) {
    if constexpr (std::is_integral_v<A>) {
      using U = std::make_unsigned_t<A>;
      return static_cast<A>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
    } else {
      return a + b;
    }
  }
};
struct Min {
  template <typename A>
  static A apply(A a, A b) {
    return b < a ? b : a;
  }
};
struct Max {
  template <typename A>
  static A apply(A a, A b) {
    return a < b ? b : a;
  }
};

/// The sum, once over, times 1 / inputs.
struct Mean : Sum {};

template <typename T, typename Op>
void combine_block(std::span<const std::byte* const> inputs, std::size_t first, std::size_t count,
                   T* result) {
  using Acc = Accumulator<T>;
  std::array<typename Acc::type, kBlock> sums;
  const auto input = [&](std::size_t k) { return reinterpret_cast<const T*>(inputs[k]) + first; };
  const T* a = input(0);
  if (inputs.size() == 1) {
    std::copy_n(a, count, result);
    return;
  }
  const T* b = input(1);
  for (std::size_t i = 0; i < count; ++i) sums[i] = Op::apply(Acc::load(a[i]), Acc::load(b[i]));
  for (std::size_t k = 2; k < inputs.size(); ++k) {
    const T* next = input(k);
    for (std::size_t i = 0; i < count; ++i) sums[i] = Op::apply(sums[i], Acc::load(next[i]));
  }
  if constexpr (std::is_same_v<Op, Mean>) {
    using A = typename Acc::type;
    const A share = A{1} / static_cast<A>(inputs.size());
    for (std::size_t i = 0; i < count; ++i) sums[i] *= share;
  }
  for (std::size_t i = 0; i < count; ++i) result[i] = Acc::store(sums[i]);
}

template <typename T, typename Op>
void combine_all(std::span<const std::byte* const> inputs, std::span<std::byte> result) {
  const std::size_t numel = result.size() / sizeof(T);
  T* values = reinterpret_cast<T*>(result.data());
  for (std::size_t first = 0; first < numel; first += kBlock) {
    combine_block<T, Op>(inputs, first, std::min(kBlock, numel - first), values + first);
  }
}

template <typename T>
void combine_as(ReduceOp op, std::span<const std::byte* const> inputs,
                std::span<std::byte> result) {
  switch (op) {
    case ReduceOp::kSum:
      return combine_all<T, Sum>(inputs, result);
    case ReduceOp::kMin:
      return combine_all<T, Min>(inputs, result);
    case ReduceOp::kMax:
      return combine_all<T, Max>(inputs, result);
    case ReduceOp::kMean:
      return combine_all<T, Mean>(inputs, result);
  }
}

}  // namespace

void combine(DType dtype, ReduceOp op, std::span<const std::byte* const> inputs,
             std::span<std::byte> result) {
  switch (dtype) {
    case DType::kFloat32:
      return combine_as<float>(op, inputs, result);
    case DType::kFloat16:
      return combine_as<Half>(op, inputs, result);
    case DType::kBFloat16:
      return combine_as<BFloat16>(op, inputs, result);
    case DType::kFloat64:
      return combine_as<double>(op, inputs, result);
    case DType::kInt32:
      return combine_as<std::int32_t>(op, inputs, result);
    case DType::kInt64:
      return combine_as<std::int64_t>(op, inputs, result);
    case DType::kUInt8:
      return combine_as<std::uint8_t>(op, inputs, result);
  }
}

}  // namespace convoy::comm::internal
