// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/split.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::trainer::internal {
namespace {

constexpr double kDefaultShare = 0.1;
constexpr std::uint64_t kSplitStream = 0x73706c6974;  // "split"

}  // namespace

double held_back_share(const DataConfig& config) {
  return config.validation > 0.0 ? config.validation : kDefaultShare;
}

std::int64_t held_back_count(std::int64_t count, double share, const std::string& name) {
  if (count < 2) {
    throw ConfigError(
        fmt::format("{}: {} sample{} cannot be split into training and evaluation parts", name,
                    count, count == 1 ? "" : "s"));
  }
  const auto wanted = static_cast<std::int64_t>(std::llround(static_cast<double>(count) * share));
  return std::clamp<std::int64_t>(wanted, 1, count - 1);
}

Split split_at_random(std::int64_t count, double share, std::uint64_t seed,
                      const std::string& name) {
  const std::int64_t held_back = held_back_count(count, share, name);
  Random random({seed, kSplitStream});
  const auto order = permutation(count, random);
  Split split{.train = {order.begin() + held_back, order.end()},
              .test = {order.begin(), order.begin() + held_back}};
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

}  // namespace convoy::trainer::internal
