// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/half_codec.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "compress/codec/internal/group_reader.h"
#include "compress/codec/internal/half_kernels.h"
#include "compress/codec/internal/half_layout.h"
#include "compress/codec/internal/payload_header.h"

namespace convoy::compress {
namespace {

using internal::GroupReader;
using internal::GroupView;
using internal::PayloadHeader;

/// Values that are converted to float32 at a time where they are something else.
constexpr std::size_t kPart = 4096;

}  // namespace

void HalfCodec::check_level(Level level) const {
  require(level == Level(16), fmt::format("half: level {}; 16 is the only one", to_text(level)));
}

std::size_t HalfCodec::do_max_bytes(std::int64_t numel, Level) const {
  return internal::half_payload_bytes(static_cast<std::size_t>(numel));
}

std::size_t HalfCodec::do_encode(Values values, Level, std::uint64_t,
                                 std::span<std::byte> out) const {
  const auto count = static_cast<std::size_t>(numel(values));
  internal::write_half_header(config_.format, count, out);
  const internal::HalfKernels& kernels = internal::half_kernels(config_.format);
  GroupReader reader(values, kPart);
  std::byte* wire = out.data() + PayloadHeader::kBytes;
  for (std::size_t index = 0; index < reader.groups(); ++index) {
    const GroupView view = reader.read(index);
    kernels.to_wire(view.values, view.count, wire);
    wire += internal::kHalfBytes * view.count;
  }
  return internal::half_payload_bytes(count);
}

void HalfCodec::do_decode(std::span<const std::byte> payload, std::span<float> out) const {
  const HalfFormat format = internal::read_half_format(payload, payload.size(), out.size());
  internal::half_kernels(format).from_wire(payload.data() + PayloadHeader::kBytes, out.size(),
                                           out.data());
}

void HalfCodec::do_add_decoded(std::span<const std::byte> payload, float scale,
                               std::span<float> out) const {
  const HalfFormat format = internal::read_half_format(payload, payload.size(), out.size());
  internal::half_kernels(format).add_from_wire(payload.data() + PayloadHeader::kBytes, out.size(),
                                               scale, out.data());
}

std::int64_t count_saturated(Values values, HalfFormat format) {
  const internal::HalfKernels& kernels = internal::half_kernels(format);
  GroupReader reader(values, kPart);
  std::int64_t saturated = 0;
  for (std::size_t index = 0; index < reader.groups(); ++index) {
    const GroupView view = reader.read(index);
    saturated += kernels.count_saturated(view.values, view.count);
  }
  return saturated;
}

}  // namespace convoy::compress
