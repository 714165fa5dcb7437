// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/half_or_family.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/errors.h"

namespace convoy::compress {
namespace {

/// The only level of family `half`.
constexpr Level kSixteen(16);

}  // namespace

HalfOrFamily::HalfOrFamily(std::unique_ptr<Family> family, std::unique_ptr<Family> half)
    : family_(std::move(family)), half_(std::move(half)) {
  require(family_ != nullptr && half_ != nullptr, "HalfOrFamily: no family");
}

void HalfOrFamily::check_level(Level level) const {
  if (!level.is_half()) family_->check_level(level);
}

Reduction HalfOrFamily::reduce(std::span<const Item> items, int priority) {
  const auto work = works_.take();
  work->others.clear();
  work->half.clear();
  for (const Item& item : items) {
    if (item.level.is_half()) {
      work->half.push_back(item);
      work->half.back().level = kSixteen;
    } else {
      work->others.push_back(item);
    }
  }
  // Both begin before either is waited for.
  std::optional<Reduction> half;
  std::optional<Reduction> others;
  if (!work->half.empty()) half.emplace(half_->reduce(work->half, priority));
  if (!work->others.empty()) others.emplace(family_->reduce(work->others, priority));
  if (half) co_await *half;
  if (others) co_await *others;
}

double HalfOrFamily::wire_bytes(const Layer& layer, Level level, int ranks) const {
  return level.is_half() ? half_->wire_bytes(layer, kSixteen, ranks)
                         : family_->wire_bytes(layer, level, ranks);
}

double HalfOrFamily::payload_bytes(const Layer& layer, Level level) const {
  return level.is_half() ? half_->payload_bytes(layer, kSixteen)
                         : family_->payload_bytes(layer, level);
}

bool HalfOrFamily::sends_dense(const Layer& layer, Level level) const {
  return !level.is_half() && family_->sends_dense(layer, level);
}

std::vector<LevelCost> HalfOrFamily::table(const Layer& layer, std::span<const float> gradient,
                                           std::span<const Level> candidates, int ranks) {
  const auto half = std::ranges::find(candidates, Level::half());
  if (half == candidates.end()) return family_->table(layer, gradient, candidates, ranks);
  std::vector<Level> others(candidates.begin(), half);
  others.insert(others.end(), half + 1, candidates.end());
  auto costs = family_->table(layer, gradient, others, ranks);
  auto cost = half_->table(layer, gradient, std::array{kSixteen}, ranks).front();
  cost.level = Level::half();
  costs.insert(costs.begin() + (half - candidates.begin()), cost);
  return costs;
}

double HalfOrFamily::codec_seconds(const Layer& layer, std::span<const float> gradient, Level level,
                                   int ranks) {
  return level.is_half() ? half_->codec_seconds(layer, gradient, kSixteen, ranks)
                         : family_->codec_seconds(layer, gradient, level, ranks);
}

void HalfOrFamily::watch(Timeline* timeline) {
  family_->watch(timeline);
  half_->watch(timeline);
}

}  // namespace convoy::compress
