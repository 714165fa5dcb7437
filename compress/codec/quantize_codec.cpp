// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/quantize_codec.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/random.h"
#include "compress/codec/internal/group_reader.h"
#include "compress/codec/internal/quantize_groups.h"
#include "compress/codec/internal/quantize_layout.h"

namespace convoy::compress {
namespace {

using internal::Grid;
using internal::GroupReader;
using internal::GroupView;
using internal::QuantizeLayout;

int bits_of(Level level) { return static_cast<int>(level.value()); }

QuantizeLayout layout_of(std::size_t numel, const QuantizeConfig& config, Level level) {
  return {numel, static_cast<std::size_t>(config.group), bits_of(level)};
}

Grid read_grid(const std::byte* from, int bits, std::size_t group) {
  const Grid grid{internal::load<float>(from), internal::load<float>(from + sizeof(float)),
                  internal::limit_of(bits)};
  if (!internal::is_valid(grid)) {
    throw PayloadError(fmt::format("quantize payload: group {} has minimum {} and step {}", group,
                                   grid.min, grid.step));
  }
  return grid;
}

/// Decodes all groups of `payload` into `out`, as `sink` (values_into, add_values_into) does it.
template <typename Sink>
void decode_groups(std::span<const std::byte> payload, std::span<float> out, const Sink& sink) {
  const QuantizeLayout layout = internal::read_quantize_layout(payload, payload.size(), out.size());
  internal::GroupDecoder decoder(layout);
  for (std::size_t index = 0; index < layout.groups(); ++index) {
    const std::byte* const at = &payload[layout.offset(index)];
    const Grid grid = read_grid(at, layout.bits, index);
    sink(decoder, at + QuantizeLayout::kScaleBytes, grid,
         out.subspan(index * layout.group, layout.count(index)));
  }
}

}  // namespace

QuantizeCodec::QuantizeCodec(QuantizeConfig config) : config_(config) {
  require(config.group > 0 && internal::is_group_size(static_cast<std::size_t>(config.group)),
          fmt::format("quantize: groups of {} values; a multiple of 64 up to 2^20 is needed",
                      config.group));
}

void QuantizeCodec::check_level(Level level) const {
  const double bits = level.value();
  require(bits >= 1 && bits <= internal::kMostBits && bits == std::floor(bits),
          fmt::format("quantize: level {} is no number of bits from 1 to 8", to_text(level)));
}

std::size_t QuantizeCodec::do_max_bytes(std::int64_t numel, Level level) const {
  return layout_of(static_cast<std::size_t>(numel), config_, level).bytes();
}

std::size_t QuantizeCodec::do_encode(Values values, Level level, std::uint64_t seed,
                                     std::span<std::byte> out) const {
  const auto count = static_cast<std::size_t>(numel(values));
  const QuantizeLayout layout = layout_of(count, config_, level);
  internal::write_quantize_header(layout, config_.rounding, out);
  GroupReader reader(values, layout.group);
  internal::GroupEncoder encoder(layout, config_.rounding);
  for (std::size_t index = 0; index < layout.groups(); ++index) {
    const GroupView view = reader.read(index);
    encoder.encode(view, mix({seed, index}), &out[layout.offset(index)]);
  }
  return layout.bytes();
}

void QuantizeCodec::do_decode(std::span<const std::byte> payload, std::span<float> out) const {
  decode_groups(payload, out,
                [](auto& decoder, const std::byte* packed, const Grid& grid,
                   std::span<float> part) { decoder.decode(packed, grid, part); });
}

void QuantizeCodec::do_add_decoded(std::span<const std::byte> payload, float scale,
                                   std::span<float> out) const {
  decode_groups(payload, out,
                [scale](auto& decoder, const std::byte* packed, const Grid& grid,
                        std::span<float> part) { decoder.add(packed, grid, scale, part); });
}

std::vector<LevelCost> QuantizeCodec::do_levels(std::span<const float> values,
                                                std::span<const Level> candidates) const {
  std::vector<LevelCost> costs;
  for (const Level level : candidates) {
    const auto bytes = layout_of(values.size(), config_, level).bytes();
    costs.push_back({level, static_cast<double>(bytes), 0.0});
  }
  const Values all = values;
  GroupReader reader(all, static_cast<std::size_t>(config_.group));
  for (std::size_t index = 0; index < reader.groups(); ++index) {
    const GroupView view = reader.read(index);
    const internal::Range range = internal::range_of(view);
    reader.set_padding(view, range.lo);
    for (LevelCost& cost : costs) {
      const Grid grid = internal::make_grid(range, internal::limit_of(bits_of(cost.level)));
      cost.error += internal::squared_error(view, grid, config_.rounding);
    }
  }
  return costs;
}

}  // namespace convoy::compress
