// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/codec/fuzz/fuzz_codec.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace convoy::compress {
namespace {

constexpr std::size_t kControlBytes = 8;

template <typename T>
T take(std::span<const std::uint8_t> input, std::size_t at) {
  T value;
  std::memcpy(&value, &input[at], sizeof(T));
  return value;
}

/// Exactly as large as asked for, so that AddressSanitizer sees every byte beyond.
void decode_both_ways(const Codec& codec, std::span<const std::byte> payload, std::size_t count) {
  const std::vector<std::byte> exact(payload.begin(), payload.end());
  std::vector<float> out(count);
  codec.decode(exact, out);
  codec.add_decoded(exact, 0.5F, out);
}

void decode_hostile(const Codec& codec, std::span<const std::byte> payload, std::size_t count) {
  try {
    decode_both_ways(codec, payload, count);
  } catch (const PayloadError&) {
    // What a damaged payload should lead to.
  }
}

template <typename T>
std::vector<T> values_of(std::span<const std::uint8_t> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

std::vector<std::byte> encode(const Codec& codec, Level level, const Values& values) {
  std::vector<std::byte> payload(codec.max_bytes(numel(values), level));
  payload.resize(codec.encode(values, level, 1, payload));
  return payload;
}

}  // namespace

void fuzz_codec(const Codec& codec, std::span<const Level> levels,
                std::span<const std::uint8_t> input) {
  if (input.size() < kControlBytes) return;
  const std::uint8_t mode = input[0] % 4;
  const Level level = levels[input[1] % levels.size()];
  const auto number = take<std::uint16_t>(input, 2);
  const auto damage = take<std::uint32_t>(input, 4);
  const auto rest = input.subspan(kControlBytes);
  if (mode == 0) {
    decode_hostile(codec, std::as_bytes(rest), number % 4096);
    return;
  }
  const auto floats = values_of<float>(rest);
  const auto halves = values_of<Half>(rest);
  const Values values = mode == 1 ? Values(std::span(halves)) : Values(std::span(floats));
  const auto count = static_cast<std::size_t>(numel(values));
  std::vector<std::byte> payload = encode(codec, level, values);
  decode_both_ways(codec, payload, count);
  if (mode < 3) return;
  const std::size_t at = number % (payload.size() + 1);
  std::memcpy(payload.data() + at, &damage, std::min<std::size_t>(4, payload.size() - at));
  decode_hostile(codec, payload, count);
  decode_hostile(codec, std::span(payload).first(at), count);
}

}  // namespace convoy::compress
