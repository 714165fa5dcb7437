// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/internal/tfrecord.h"

#include <bit>
#include <boost/crc.hpp>

namespace convoy::trainer::internal {
namespace {

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <typename T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  constexpr std::uint32_t kMask = 0xa282ead8;
  return little_endian(std::rotr(crc32c(bytes), 15) + kMask);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  Crc32c crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::string tfrecord(std::string_view data) {
  const auto length = little_endian(static_cast<std::uint64_t>(data.size()));
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

}  // namespace convoy::trainer::internal
