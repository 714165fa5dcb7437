// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_indices.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "compress/codec/codec.h"
#include "compress/codec/internal/payload_header.h"
#include "compress/codec/internal/top_k_gaps.h"

namespace convoy::compress::internal {
namespace {

constexpr std::int64_t kMostAbsolute = std::int64_t{1} << 32;

[[noreturn]] void fail(const std::string& message) {
  throw PayloadError("top_k payload: " + message);
}

/// Words of a gap code for `k` gaps with `escapes` escapes, in bytes.
template <typename Word>
std::size_t gap_bytes(std::int64_t k, std::int64_t escapes) {
  return sizeof(Word) * static_cast<std::size_t>(k + escapes);
}

std::size_t bitmap_bytes(std::int64_t numel) {
  return static_cast<std::size_t>(numel / 8 + (numel % 8 != 0 ? 1 : 0));
}

/// The smallest of all formats, with gap codes of these sizes.
IndexSize smallest(std::size_t gaps8, std::size_t gaps16, std::int64_t numel, std::int64_t k) {
  IndexSize best{IndexFormat::kGaps8, gaps8};
  const auto offer = [&best](IndexFormat format, std::size_t bytes) {
    if (bytes < best.bytes) best = {format, bytes};
  };
  offer(IndexFormat::kGaps16, gaps16);
  offer(IndexFormat::kBitmap, bitmap_bytes(numel));
  if (numel <= kMostAbsolute) {
    offer(IndexFormat::kAbsolute, sizeof(std::uint32_t) * static_cast<std::size_t>(k));
  }
  return best;
}

template <typename Word>
void write_gaps(std::span<const std::int64_t> indices, std::byte* out) {
  std::int64_t next = 0;
  for (const std::int64_t index : indices) {
    put_gap<Word>(index - next, [&out](Word word) {
      store(word, out);
      out += sizeof(Word);
    });
    next = index + 1;
  }
}

template <typename Word>
std::vector<std::int64_t> read_gaps(std::span<const std::byte> bytes, std::int64_t k,
                                    std::int64_t numel) {
  if (bytes.size() % sizeof(Word) != 0) {
    fail(fmt::format("{} bytes of gaps of {}", bytes.size(), sizeof(Word)));
  }
  std::vector<std::int64_t> indices;
  std::int64_t next = 0;  // at most numel + 65535: no overflow
  std::size_t at = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    for (bool more = true; more; at += sizeof(Word)) {
      if (at == bytes.size()) fail(fmt::format("its gaps end after {} of {} indices", i, k));
      const std::int64_t word = load<Word>(&bytes[at]);
      more = word == kEscape<Word>;
      next += word;
      if (next >= numel) fail(fmt::format("index {} of {} values", next, numel));
    }
    indices.push_back(next++);
  }
  if (at != bytes.size()) fail(fmt::format("{} bytes follow its last gap", bytes.size() - at));
  return indices;
}

void write_bitmap(std::span<const std::int64_t> indices, std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  for (const std::int64_t index : indices) {
    out[static_cast<std::size_t>(index / 8)] |= std::byte{1} << (index % 8);
  }
}

std::vector<std::int64_t> read_bitmap(std::span<const std::byte> bytes, std::int64_t k,
                                      std::int64_t numel) {
  if (bytes.size() != bitmap_bytes(numel)) {
    fail(fmt::format("a bitmap of {} bytes for {} values", bytes.size(), numel));
  }
  std::vector<std::int64_t> indices;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned left = std::to_integer<unsigned>(bytes[at]); left != 0; left &= left - 1) {
      indices.push_back(static_cast<std::int64_t>(8 * at) + std::countr_zero(left));
    }
  }
  if (!indices.empty() && indices.back() >= numel) {
    fail(fmt::format("index {} of {} values", indices.back(), numel));
  }
  const auto count = static_cast<std::int64_t>(indices.size());
  if (count != k) fail(fmt::format("a bitmap of {} indices, expected {}", count, k));
  return indices;
}

void write_absolute(std::span<const std::int64_t> indices, std::byte* out) {
  for (const std::int64_t index : indices) {
    store(static_cast<std::uint32_t>(index), out);
    out += sizeof(std::uint32_t);
  }
}

std::vector<std::int64_t> read_absolute(std::span<const std::byte> bytes, std::int64_t k,
                                        std::int64_t numel) {
  const std::size_t expected = sizeof(std::uint32_t) * static_cast<std::size_t>(k);
  if (bytes.size() != expected) {
    fail(fmt::format("{} bytes of absolute indices, expected {}", bytes.size(), expected));
  }
  std::vector<std::int64_t> indices;
  std::int64_t last = -1;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
    const std::int64_t index = load<std::uint32_t>(&bytes[at]);
    if (index <= last) fail(fmt::format("index {} follows {}", index, last));
    if (index >= numel) fail(fmt::format("index {} of {} values", index, numel));
    indices.push_back(index);
    last = index;
  }
  return indices;
}

/// Mean number of escapes of a gap: gaps are geometric, and go on after each escape as before.
double typical_escapes(double density, double escape) {
  const double goes_on = std::pow(1.0 - density, escape);
  return goes_on < 1.0 ? goes_on / (1.0 - goes_on) : std::numeric_limits<double>::infinity();
}

}  // namespace

IndexSize smallest_format(std::span<const std::int64_t> indices, std::int64_t numel) {
  const auto k = static_cast<std::int64_t>(indices.size());
  std::int64_t escapes8 = 0;
  std::int64_t escapes16 = 0;
  std::int64_t next = 0;
  for (const std::int64_t index : indices) {
    escapes8 += escapes_of<std::uint8_t>(index - next);
    escapes16 += escapes_of<std::uint16_t>(index - next);
    next = index + 1;
  }
  return smallest_format(escapes8, escapes16, numel, k);
}

IndexSize smallest_format(std::int64_t escapes8, std::int64_t escapes16, std::int64_t numel,
                          std::int64_t k) {
  return smallest(gap_bytes<std::uint8_t>(k, escapes8), gap_bytes<std::uint16_t>(k, escapes16),
                  numel, k);
}

std::size_t max_index_bytes(std::int64_t numel, std::int64_t k) {
  // All that lies between indices, in one gap.
  const std::int64_t widest = numel - k;
  return smallest_format(escapes_of<std::uint8_t>(widest), escapes_of<std::uint16_t>(widest), numel,
                         k)
      .bytes;
}

double typical_index_bytes(std::int64_t numel, std::int64_t k) {
  if (k == 0) return 0.0;
  const auto count = static_cast<double>(k);
  const double density = count / static_cast<double>(numel);
  const double gaps8 = count * (1.0 + typical_escapes(density, kEscape<std::uint8_t>));
  const double gaps16 = 2.0 * count * (1.0 + typical_escapes(density, kEscape<std::uint16_t>));
  const auto most = static_cast<double>(max_index_bytes(numel, k));
  return std::min({gaps8, gaps16, most});
}

void write_indices(std::span<const std::int64_t> indices, IndexFormat format,
                   std::span<std::byte> out) {
  switch (format) {
    case IndexFormat::kGaps8:
      return write_gaps<std::uint8_t>(indices, out.data());
    case IndexFormat::kGaps16:
      return write_gaps<std::uint16_t>(indices, out.data());
    case IndexFormat::kBitmap:
      return write_bitmap(indices, out);
    case IndexFormat::kAbsolute:
      return write_absolute(indices, out.data());
  }
}

std::vector<std::int64_t> read_indices(std::span<const std::byte> bytes, IndexFormat format,
                                       std::int64_t k, std::int64_t numel) {
  switch (format) {
    case IndexFormat::kGaps8:
      return read_gaps<std::uint8_t>(bytes, k, numel);
    case IndexFormat::kGaps16:
      return read_gaps<std::uint16_t>(bytes, k, numel);
    case IndexFormat::kBitmap:
      return read_bitmap(bytes, k, numel);
    case IndexFormat::kAbsolute:
      return read_absolute(bytes, k, numel);
  }
  fail(fmt::format("index format {}", static_cast<int>(format)));
}

}  // namespace convoy::compress::internal
