// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/half_codec.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "compress/codec/internal/group_reader.h"
#include "compress/codec/internal/half_kernels.h"
#include "compress/codec/internal/payload_header.h"

namespace convoy::compress {
namespace {

using internal::GroupReader;
using internal::GroupView;
using internal::PayloadHeader;

constexpr char kTag = 'H';
constexpr std::size_t kValueBytes = 2;
/// Values that are converted to float32 at a time where they are something else.
constexpr std::size_t kPart = 4096;

std::size_t payload_bytes(std::size_t numel) { return PayloadHeader::kBytes + kValueBytes * numel; }

/// The format that the header of `payload` names.
HalfFormat read_format(std::span<const std::byte> payload, std::size_t numel) {
  const PayloadHeader header = internal::read_header(payload, kTag, "half", numel);
  if (header.first > 1 || header.second != 0 || header.third != 0) {
    throw PayloadError(fmt::format("half payload: format {}, {}, {}; expected 0 or 1, 0, 0",
                                   header.first, header.second, header.third));
  }
  internal::check_payload_bytes("half", payload.size(), payload_bytes(numel));
  return static_cast<HalfFormat>(header.first);
}

}  // namespace

void HalfCodec::check_level(Level level) const {
  require(level == Level(16), fmt::format("half: level {}; 16 is the only one", to_text(level)));
}

std::size_t HalfCodec::do_max_bytes(std::int64_t numel, Level) const {
  return payload_bytes(static_cast<std::size_t>(numel));
}

std::size_t HalfCodec::do_encode(Values values, Level, std::uint64_t,
                                 std::span<std::byte> out) const {
  const auto count = static_cast<std::size_t>(numel(values));
  internal::write_header({kTag, static_cast<std::uint8_t>(config_.format), 0, 0, count}, out);
  const internal::HalfKernels& kernels = internal::half_kernels(config_.format);
  GroupReader reader(values, kPart);
  std::byte* wire = out.data() + PayloadHeader::kBytes;
  for (std::size_t index = 0; index < reader.groups(); ++index) {
    const GroupView view = reader.read(index);
    kernels.to_wire(view.values, view.count, wire);
    wire += kValueBytes * view.count;
  }
  return payload_bytes(count);
}

void HalfCodec::do_decode(std::span<const std::byte> payload, std::span<float> out) const {
  const HalfFormat format = read_format(payload, out.size());
  internal::half_kernels(format).from_wire(payload.data() + PayloadHeader::kBytes, out.size(),
                                           out.data());
}

void HalfCodec::do_add_decoded(std::span<const std::byte> payload, float scale,
                               std::span<float> out) const {
  const HalfFormat format = read_format(payload, out.size());
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
