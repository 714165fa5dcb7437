// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/codec.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/errors.h"

namespace convoy::compress {
namespace {

/// Bytes of a value that is sent as it is.
constexpr double kDenseBytes = 4.0;

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

std::int64_t numel(const Values& values) {
  return std::visit([](auto span) { return static_cast<std::int64_t>(span.size()); }, values);
}

std::size_t Codec::max_bytes(std::int64_t numel, Level level) const {
  require(numel >= 0, fmt::format("{} max_bytes: {} values", family(), numel));
  check_level(level);
  return do_max_bytes(numel, level);
}

std::size_t Codec::typical_bytes(std::int64_t numel, Level level) const {
  require(numel >= 0, fmt::format("{} typical_bytes: {} values", family(), numel));
  check_level(level);
  return do_typical_bytes(numel, level);
}

std::size_t Codec::encode(Values values, Level level, std::uint64_t seed,
                          std::span<std::byte> out) const {
  const std::int64_t count = numel(values);
  const std::size_t needed = max_bytes(count, level);
  require(out.size() >= needed,
          fmt::format("{} encode: {} values at level {} need {} bytes, the output has {}", family(),
                      count, to_text(level), needed, out.size()));
  const std::size_t used = do_encode(values, level, seed, out.first(needed));
  require(used <= needed, fmt::format("{} encode: {} values at level {} took {} bytes, more than "
                                      "the {} that max_bytes() promised",
                                      family(), count, to_text(level), used, needed));
  return used;
}

void Codec::decode(std::span<const std::byte> payload, std::span<float> out) const {
  do_decode(payload, out);
}

void Codec::add_decoded(std::span<const std::byte> payload, float scale,
                        std::span<float> out) const {
  do_add_decoded(payload, scale, out);
}

std::vector<LevelCost> Codec::levels(std::span<const float> values,
                                     std::span<const Level> candidates) const {
  std::vector<Level> lossy;
  for (const Level level : candidates) {
    if (level.is_dense()) continue;
    check_level(level);
    lossy.push_back(level);
  }
  const std::vector<LevelCost> costs =
      lossy.empty() ? std::vector<LevelCost>{} : do_levels(values, lossy);
  require(costs.size() == lossy.size(), fmt::format("{} levels: {} costs for {} candidates",
                                                    family(), costs.size(), lossy.size()));
  const double dense_bytes = kDenseBytes * static_cast<double>(values.size());
  std::vector<LevelCost> table;
  auto next = costs.begin();
  for (const Level level : candidates) {
    table.push_back(level.is_dense() ? LevelCost{level, dense_bytes, 0.0} : *next++);
  }
  return table;
}

void Codec::do_add_decoded(std::span<const std::byte> payload, float scale,
                           std::span<float> out) const {
  std::vector<float> decoded(out.size());
  do_decode(payload, decoded);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += scale * decoded[i];
}

std::vector<LevelCost> Codec::do_levels(std::span<const float> values,
                                        std::span<const Level> candidates) const {
  std::vector<float> decoded(values.size());
  std::vector<std::byte> payload;
  std::vector<LevelCost> costs;
  for (const Level level : candidates) {
    payload.resize(max_bytes(static_cast<std::int64_t>(values.size()), level));
    const std::size_t used = do_encode(values, level, 0, payload);
    do_decode(std::span(payload).first(used), decoded);
    costs.push_back({level, static_cast<double>(used), squared_distance(values, decoded)});
  }
  return costs;
}

}  // namespace convoy::compress
