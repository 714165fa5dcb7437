// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/device_codec.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"

namespace convoy::compress::cuda {
namespace {

/// Bytes of a value that is sent as it is.
constexpr double kDenseBytes = 4.0;

}  // namespace

std::size_t DeviceCodec::encode(DeviceValues values, Level level, std::uint64_t seed,
                                DeviceSpan<std::byte> out) {
  const std::int64_t count = std::visit([](auto span) { return span.size(); }, values);
  const std::size_t needed = on_host().max_bytes(count, level);
  require(out.size() >= static_cast<std::int64_t>(needed),
          fmt::format("{} encode on a GPU: {} values at level {} need {} bytes, the output has {}",
                      on_host().family(), count, to_text(level), needed, out.size()));
  return do_encode(values, level, seed, out.part(0, static_cast<std::int64_t>(needed)));
}

void DeviceCodec::decode(DeviceSpan<const std::byte> payload, DeviceSpan<float> out) {
  do_decode(payload, out);
}

void DeviceCodec::add_decoded(DeviceSpan<const std::byte> payload, float scale,
                              DeviceSpan<float> out) {
  do_add_decoded(payload, scale, out);
}

std::vector<LevelCost> DeviceCodec::levels(DeviceSpan<const float> values,
                                           std::span<const Level> candidates) {
  std::vector<Level> lossy;
  for (const Level level : candidates) {
    if (level.is_dense()) continue;
    on_host().check_level(level);
    lossy.push_back(level);
  }
  const std::vector<double> errors =
      lossy.empty() ? std::vector<double>{} : do_errors(values, lossy);
  std::vector<LevelCost> table;
  auto next = errors.begin();
  for (const Level level : candidates) {
    const double bytes = level.is_dense()
                             ? kDenseBytes * static_cast<double>(values.size())
                             : static_cast<double>(on_host().typical_bytes(values.size(), level));
    table.push_back({level, bytes, level.is_dense() ? 0.0 : *next++});
  }
  return table;
}

}  // namespace convoy::compress::cuda
