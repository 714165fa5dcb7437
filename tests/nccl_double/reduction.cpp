// SPDX-License-Identifier: Apache-2.0
// What the double's collectives compute. Sums go round a ring: those of chunk c begin with rank c +
// 1, and two-byte types are rounded at each step, so that nobody comes to rely on another order.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/half.h"
#include "tests/nccl_double/meeting.h"

namespace convoy::tests::nccl_double {
namespace {

template <typename T>
auto widen(T value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return to_float(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::make_unsigned_t<T>>(value);  // sums wrap round
  } else {
    return value;
  }
}

template <typename T, typename W>
T narrow(W value) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(value);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(value);
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
bool less(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return a < b;
  } else {
    return widen(a) < widen(b);
  }
}

template <typename T>
T combine(T a, T b, ncclRedOp_t op) {
  if (op == ncclMin) return less(b, a) ? b : a;
  if (op == ncclMax) return less(a, b) ? b : a;
  return narrow<T>(widen(a) + widen(b));
}

template <typename T>
std::vector<T> reduce_as(const Meeting& meeting, std::size_t count, int ranks, ncclRedOp_t op) {
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<const T*> inputs;
  for (const auto& [rank, call] : meeting.came) {
    inputs.push_back(reinterpret_cast<const T*>(call->from));
  }
  const auto input = [&](std::size_t rank, std::size_t i) {
    const T value = inputs[rank % n][i];
    if (op != ncclAvg) return value;
    const auto wide = widen(value);
    return narrow<T>(wide * (decltype(wide){1} / static_cast<decltype(wide)>(ranks)));
  };
  std::vector<T> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = i * n / count + 1;
    T sum = input(first, i);
    for (std::size_t k = 1; k < n; ++k) sum = combine(sum, input(first + k, i), op);
    result[i] = sum;
  }
  return result;
}

template <typename T>
std::vector<std::byte> reduce_bytes(const Meeting& meeting, std::size_t count, int ranks,
                                    ncclRedOp_t op) {
  const auto values = reduce_as<T>(meeting, count, ranks, op);
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<std::byte> reduce(const Meeting& meeting, std::size_t count, int ranks) {
  const Op& any = *meeting.came.begin()->second;
  switch (any.type) {
    case ncclFloat32:
      return reduce_bytes<float>(meeting, count, ranks, any.op);
    case ncclFloat16:
      return reduce_bytes<Half>(meeting, count, ranks, any.op);
    case ncclBfloat16:
      return reduce_bytes<BFloat16>(meeting, count, ranks, any.op);
    case ncclFloat64:
      return reduce_bytes<double>(meeting, count, ranks, any.op);
    case ncclInt32:
      return reduce_bytes<std::int32_t>(meeting, count, ranks, any.op);
    case ncclInt64:
      return reduce_bytes<std::int64_t>(meeting, count, ranks, any.op);
    default:
      return reduce_bytes<std::uint8_t>(meeting, count, ranks, any.op);
  }
}

// Everybody's `from`, one after the other.
std::vector<std::byte> concatenate(const Meeting& meeting, std::size_t piece_bytes) {
  std::vector<std::byte> all;
  for (const auto& [rank, call] : meeting.came) {
    all.insert(all.end(), call->from, call->from + piece_bytes);
  }
  return all;
}

void copy(std::byte* to, const std::vector<std::byte>& from, std::size_t offset,
          std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from.data() + offset, bytes);
}

}  // namespace

std::size_t element_bytes(ncclDataType_t type) {
  switch (type) {
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    case ncclFloat32:
    case ncclInt32:
      return 4;
    case ncclFloat64:
    case ncclInt64:
      return 8;
    default:
      return 1;
  }
}

// All inputs are read before the first result is written: buffers may be the same.
void compute(const Meeting& meeting, int ranks) {
  const Op& any = *meeting.came.begin()->second;
  const std::size_t piece = any.count * element_bytes(any.type);
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::byte> result;
  if (any.what == What::kAllReduce) result = reduce(meeting, any.count, ranks);
  if (any.what == What::kReduceScatter) result = reduce(meeting, any.count * n, ranks);
  if (any.what == What::kAllGather) result = concatenate(meeting, piece);
  if (any.what == What::kBroadcast) {
    const std::byte* root = meeting.came.at(any.peer)->from;
    result.assign(root, root + piece);
  }
  for (const auto& [rank, call] : meeting.came) {
    const bool own_piece = any.what == What::kReduceScatter;
    copy(call->to, result, own_piece ? piece * static_cast<std::size_t>(rank) : 0,
         own_piece ? piece : result.size());
  }
}

}  // namespace convoy::tests::nccl_double
