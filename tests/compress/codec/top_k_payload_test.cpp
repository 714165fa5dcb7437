// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "compress/codec/top_k_codec.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

using Bytes = std::vector<std::byte>;

const TopKCodec kExact;
const TopKCodec kHalf({.values = TopKValues::kFloat16});

// Offsets of docs/codecs.md.
constexpr std::size_t kIndexFormat = 2;
constexpr std::size_t kValueFormat = 3;
constexpr std::size_t kExponent = 4;
constexpr std::size_t kCount = 16;
constexpr std::size_t kHeader = 24;

template <typename T>
Bytes with(Bytes payload, std::size_t offset, T value) {
  std::memcpy(&payload[offset], &value, sizeof(T));
  return payload;
}

/// 10 values, of which 2 are kept: indices 3 and 7 as gaps 3 and 3.
Bytes small_payload() {
  std::vector<float> values(10);
  values[3] = 1.0F;
  values[7] = -2.0F;
  return encoded(kExact, values, Level(0.2));
}

void expect_refused(const Bytes& payload, const std::string& why, std::size_t numel = 10) {
  const std::string message = payload_error(kExact, payload, numel);
  EXPECT_NE(message.find(why), std::string::npos) << "\"" << message << "\" lacks " << why;
}

TEST(TopKPayload, IsLaidOutAsDocumented) {
  const Bytes payload = small_payload();
  ASSERT_EQ(payload.size(), kHeader + 2 * 4 + 2);
  EXPECT_EQ(payload[0], std::byte{'K'});
  EXPECT_EQ(payload[kIndexFormat], std::byte{0});
  EXPECT_EQ(payload[kValueFormat], std::byte{0});
  const auto at = [&]<typename T>(std::size_t offset, T) {
    T value;
    std::memcpy(&value, &payload[offset], sizeof(T));
    return value;
  };
  EXPECT_EQ(at(kExponent, std::int32_t{}), 0);
  EXPECT_EQ(at(8, std::uint64_t{}), 10U);
  EXPECT_EQ(at(kCount, std::uint64_t{}), 2U);
  EXPECT_EQ(at(kHeader, float{}), 1.0F);
  EXPECT_EQ(at(kHeader + 4, float{}), -2.0F);
  EXPECT_EQ(payload[kHeader + 8], std::byte{3});
  EXPECT_EQ(payload[kHeader + 9], std::byte{3});
}

TEST(TopKPayload, EveryCutIsRefused) {
  const auto values = normal_values(3000, 1);
  for (const double density : {0.001, 0.01, 0.2, 1.0}) {
    for (const TopKCodec& codec : {kExact, kHalf}) {
      const Bytes payload = encoded(codec, values, Level(density));
      for (std::size_t size = 0; size < payload.size(); size += 1 + size / 40) {
        EXPECT_NE(payload_error(codec, std::span(payload).first(size), values.size()), "") << size;
      }
      Bytes longer = payload;
      longer.push_back(std::byte{0});
      EXPECT_NE(payload_error(codec, longer, values.size()), "");
    }
  }
}

TEST(TopKPayload, ACutWithinTheHeaderIsNamed) {
  Bytes payload = small_payload();
  payload.resize(kHeader - 1);
  expect_refused(payload, "23 bytes, shorter than its header of 24");
}

TEST(TopKPayload, NothingIsWrittenOfARefusedOne) {
  const Bytes payload = with(small_payload(), kHeader + 9, std::uint8_t{6});
  std::vector<float> out(10, 5.0F);
  EXPECT_THROW(kExact.add_decoded(payload, 1.0F, out), PayloadError);
  EXPECT_EQ(out, std::vector<float>(10, 5.0F));
}

TEST(TopKPayload, AForgedHeaderIsRefusedWithTheReason) {
  const Bytes payload = small_payload();
  expect_refused(with(payload, 0, 'Q'), "expected 'K'");
  expect_refused(payload, "holds 10 values, 11 were expected", 11);
  expect_refused(with(payload, kIndexFormat, std::uint8_t{4}), "index format 4");
  expect_refused(with(payload, kValueFormat, std::uint8_t{2}), "value format 2");
  expect_refused(with(payload, kExponent, std::int32_t{127}), "a scale of 2^127");
  expect_refused(with(payload, kExponent, std::int32_t{-2000000000}), "a scale of 2^-2000000000");
}

TEST(TopKPayload, AForgedCountIsRefusedWithTheReason) {
  const Bytes payload = small_payload();
  expect_refused(with(payload, kCount, std::uint64_t{0}), "0 of 10 values");
  expect_refused(with(payload, kCount, std::uint64_t{11}), "11 of 10 values");
  expect_refused(with(payload, kCount, ~std::uint64_t{0}), "18446744073709551615 of 10 values");
  expect_refused(with(payload, kCount, std::uint64_t{1} << 62), "of 10 values");
  expect_refused(with(payload, kCount, std::uint64_t{9}), "34 bytes are too few for 9 values");
  expect_refused(with(payload, kCount, std::uint64_t{1}), "bytes follow its last gap");
}

TEST(TopKPayload, IndicesBeyondTheValuesAreRefused) {
  expect_refused(with(small_payload(), kHeader + 9, std::uint8_t{6}), "index 10 of 10 values");
  expect_refused(with(small_payload(), kHeader + 8, std::uint8_t{254}), "index 254 of 10 values");
}

}  // namespace
}  // namespace convoy::compress
