// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/synthetic_dataset.h"

#include <cmath>
#include <vector>

#include "base/random.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::uint64_t kCentreStream = 0x63656e747265;  // "centre"
constexpr std::uint64_t kSampleStream = 0x73616d706c65;  // "sample"
constexpr double kRadius = 4.0;  ///< root mean square distance of a centre from the origin

std::vector<double> draw_centres(const DataConfig& config, std::uint64_t seed) {
  Random random({seed, kCentreStream});
  const double scale = kRadius / std::sqrt(static_cast<double>(config.features));
  std::vector<double> centres(static_cast<std::size_t>(config.classes * config.features));
  for (double& value : centres) value = scale * random.normal();
  return centres;
}

}  // namespace

Table make_clusters(const DataConfig& config, std::int64_t count, std::uint64_t seed) {
  const auto centres = draw_centres(config, seed);
  Table table{.columns = config.features, .classes = config.classes};
  table.features.reserve(static_cast<std::size_t>(count * config.features));
  table.labels.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = i % config.classes;
    Random random({seed, kSampleStream, static_cast<std::uint64_t>(i)});
    const double* centre = centres.data() + label * config.features;
    for (std::int64_t f = 0; f < config.features; ++f) {
      table.features.push_back(centre[f] + random.normal());
    }
    table.labels.push_back(label);
  }
  return table;
}

}  // namespace convoy::trainer::internal
