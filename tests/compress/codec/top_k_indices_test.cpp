// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_indices.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "base/random.h"
#include "compress/codec/codec.h"

namespace convoy::compress::internal {
namespace {

using Indices = std::vector<std::int64_t>;
using Bytes = std::vector<std::byte>;

constexpr std::int64_t k2To32 = std::int64_t{1} << 32;

std::int64_t count_of(const Indices& indices) { return static_cast<std::int64_t>(indices.size()); }

Indices every(std::int64_t step, std::int64_t numel) {
  Indices indices;
  for (std::int64_t index = step - 1; index < numel; index += step) indices.push_back(index);
  return indices;
}

Indices at_random(std::int64_t k, std::int64_t numel, std::uint64_t seed) {
  Random random(seed);
  std::set<std::int64_t> chosen;
  while (static_cast<std::int64_t>(chosen.size()) < k) {
    chosen.insert(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(numel))));
  }
  return {chosen.begin(), chosen.end()};
}

Bytes written(const Indices& indices, IndexSize size) {
  Bytes bytes(size.bytes, std::byte{0xaa});
  write_indices(indices, size.format, bytes);
  return bytes;
}

/// Checks that `format` is chosen and takes `bytes`, and that the indices come back.
void expect_format(const Indices& indices, std::int64_t numel, IndexFormat format,
                   std::size_t bytes) {
  const IndexSize size = smallest_format(indices, numel);
  EXPECT_EQ(size.format, format);
  EXPECT_EQ(size.bytes, bytes);
  EXPECT_LE(size.bytes, max_index_bytes(numel, count_of(indices)));
  EXPECT_EQ(read_indices(written(indices, size), size.format, count_of(indices), numel), indices);
}

Bytes of_bytes(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

void expect_refused(const Bytes& bytes, IndexFormat format, std::int64_t k, std::int64_t numel,
                    const std::string& why) {
  try {
    (void)read_indices(bytes, format, k, numel);
    ADD_FAILURE() << "accepted; expected: " << why;
  } catch (const PayloadError& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(TopKIndices, EvenlySpreadOnesTakeAByteEach) {
  expect_format(every(100, 10'000), 10'000, IndexFormat::kGaps8, 100);
}

TEST(TopKIndices, AGapOf255OrMoreTakesAnotherByte) {
  expect_format({254}, 10'000, IndexFormat::kGaps8, 1);
  expect_format({255}, 10'000, IndexFormat::kGaps8, 2);
  expect_format({510, 511}, 10'000, IndexFormat::kGaps8, 4);
  EXPECT_EQ(written({511}, {IndexFormat::kGaps8, 3}), of_bytes({255, 255, 1}));
}

TEST(TopKIndices, WideGapsTakeTwoBytes) {
  expect_format(every(1000, 1'000'000), 1'000'000, IndexFormat::kGaps16, 2000);
}

TEST(TopKIndices, DenseOnesBecomeABitmap) {
  expect_format(every(2, 1001), 1001, IndexFormat::kBitmap, 126);
  expect_format(every(1, 8), 8, IndexFormat::kBitmap, 1);
}

TEST(TopKIndices, VeryFewOnesAreWrittenAsTheyAre) {
  expect_format({5'000'000}, 10'000'000, IndexFormat::kAbsolute, 4);
  expect_format({k2To32 - 1}, k2To32, IndexFormat::kAbsolute, 4);
}

TEST(TopKIndices, NoneTakeNoBytes) { expect_format({}, 0, IndexFormat::kGaps8, 0); }

TEST(TopKIndices, LayersBeyondFourBytesOfIndexUseGaps) {
  // 65537 escapes of 65535 and one word for the rest.
  expect_format({k2To32}, k2To32 + 1, IndexFormat::kGaps16, 2 * (65537 + 1));
  EXPECT_EQ(smallest_format(Indices{k2To32 - 1}, k2To32 + 1).format, IndexFormat::kGaps16);
}

TEST(TopKIndices, TheLargestSizeIsExactArithmetic) {
  EXPECT_EQ(max_index_bytes(0, 0), 0U);
  EXPECT_EQ(max_index_bytes(1, 1), 1U);
  EXPECT_EQ(max_index_bytes(1000, 1000), 125U);
  EXPECT_EQ(max_index_bytes(1000, 100), 100U + 900 / 255);
  EXPECT_EQ(max_index_bytes(1'000'000, 1), 4U);
  // 2^33 values, 1 % kept: 16-bit gaps at worst cost less than 8-bit ones.
  const std::int64_t huge = std::int64_t{1} << 33;
  const std::int64_t k = huge / 100;
  EXPECT_EQ(max_index_bytes(huge, k), static_cast<std::size_t>(k + (huge - k) / 255));
  EXPECT_EQ(max_index_bytes(std::int64_t{1} << 50, std::int64_t{1} << 50), std::size_t{1} << 47);
}

TEST(TopKIndices, NoChoiceNeedsMoreThanTheLargestSize) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const auto numel = static_cast<std::int64_t>(1 + random.below(100'000));
    const auto k = static_cast<std::int64_t>(
        1 + random.below(static_cast<std::uint64_t>(std::min<std::int64_t>(numel, 300))));
    const Indices scattered = at_random(k, numel, seed);
    Indices at_the_end;
    for (std::int64_t i = numel - k; i < numel; ++i) at_the_end.push_back(i);
    for (const Indices& indices : {scattered, at_the_end}) {
      const IndexSize size = smallest_format(indices, numel);
      EXPECT_LE(size.bytes, max_index_bytes(numel, k));
      EXPECT_EQ(read_indices(written(indices, size), size.format, k, numel), indices);
    }
  }
}

// One wide gap is the worst case: the bound is reached, not merely kept.
TEST(TopKIndices, TheLargestSizeIsReached) {
  Indices indices;
  for (std::int64_t i = 9900; i < 10'000; ++i) indices.push_back(i);
  EXPECT_EQ(smallest_format(indices, 10'000).bytes, max_index_bytes(10'000, 100));
}

TEST(TopKIndices, RandomOnesTakeAboutTheTypicalSize) {
  const std::int64_t numel = 500'000;
  for (const std::int64_t k : {50, 500, 5000, 50'000}) {
    const auto measured = static_cast<double>(smallest_format(at_random(k, numel, 1), numel).bytes);
    EXPECT_NEAR(typical_index_bytes(numel, k), measured, 0.02 * measured) << k;
  }
  EXPECT_EQ(typical_index_bytes(0, 0), 0.0);
  EXPECT_EQ(typical_index_bytes(800, 800), 100.0);
}

TEST(TopKIndices, HostileGapsAreRefused) {
  expect_refused(of_bytes({3}), IndexFormat::kGaps8, 2, 10, "end after 1 of 2");
  expect_refused(of_bytes({3, 6}), IndexFormat::kGaps8, 2, 10, "index 10 of 10");
  expect_refused(of_bytes({3, 5, 0}), IndexFormat::kGaps8, 2, 10, "1 bytes follow");
  expect_refused(of_bytes({255}), IndexFormat::kGaps8, 1, 1000, "end after 0 of 1");
  expect_refused(Bytes(100'000, std::byte{255}), IndexFormat::kGaps8, 1, 1000, "of 1000 values");
  expect_refused(Bytes(100'000, std::byte{255}), IndexFormat::kGaps16, 1, 1000, "of 1000 values");
  expect_refused(of_bytes({3, 0, 1}), IndexFormat::kGaps16, 1, 10, "3 bytes of gaps of 2");
  EXPECT_EQ(read_indices(of_bytes({3, 5}), IndexFormat::kGaps8, 2, 10), (Indices{3, 9}));
}

TEST(TopKIndices, HostileBitmapsAreRefused) {
  expect_refused(of_bytes({1, 0, 0}), IndexFormat::kBitmap, 1, 10, "3 bytes for 10 values");
  expect_refused(of_bytes({1, 4}), IndexFormat::kBitmap, 2, 10, "index 10 of 10");
  expect_refused(of_bytes({3, 0}), IndexFormat::kBitmap, 1, 10, "2 indices, expected 1");
  expect_refused(of_bytes({3, 0}), IndexFormat::kBitmap, 3, 10, "2 indices, expected 3");
  EXPECT_EQ(read_indices(of_bytes({1, 2}), IndexFormat::kBitmap, 2, 10), (Indices{0, 9}));
}

TEST(TopKIndices, HostileAbsoluteIndicesAreRefused) {
  const auto absolute = [](std::vector<std::uint32_t> indices) {
    Bytes bytes(4 * indices.size());
    std::memcpy(bytes.data(), indices.data(), bytes.size());
    return bytes;
  };
  const IndexFormat format = IndexFormat::kAbsolute;
  expect_refused(absolute({3, 3}), format, 2, 10, "index 3 follows 3");
  expect_refused(absolute({5, 3}), format, 2, 10, "index 3 follows 5");
  expect_refused(absolute({5, 10}), format, 2, 10, "index 10 of 10");
  expect_refused(absolute({5, 0xffffffffU}), format, 2, 10, "index 4294967295 of 10");
  expect_refused(absolute({5}), format, 2, 10, "4 bytes of absolute indices, expected 8");
  expect_refused(of_bytes({5, 0, 0}), format, 1, 10, "3 bytes");
  EXPECT_EQ(read_indices(absolute({0, 9}), format, 2, 10), (Indices{0, 9}));
}

}  // namespace
}  // namespace convoy::compress::internal
