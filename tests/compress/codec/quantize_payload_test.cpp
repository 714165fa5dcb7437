// SPDX-License-Identifier: Apache-2.0
// The bytes on the wire, and bytes that are no payload.
#include <gtest/gtest.h>

#include <cstring>

#include "compress/codec/quantize_codec.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(QuantizeWire, HasTheDocumentedBytes) {
  // docs/codecs.md works these two out.
  const QuantizeCodec nearest({.group = 64});
  EXPECT_EQ(encoded(nearest, {0.0F, 1.0F, 2.0F, 3.0F}, Level(2)),
            bytes_of({'Q', 1, 2, 0, 64, 0, 0,    0,    4, 0, 0, 0, 0, 0, 0, 0,  // header
                      0,   0, 0, 0, 0,  0, 0x80, 0x3f,                          // min 0, step 1
                      0xe4}));                                                  // 3 2 1 0
  EXPECT_EQ(encoded(nearest, {-1.0F, 0.0F, 6.0F, 3.0F, 2.0F}, Level(3)),
            bytes_of({'Q',  1,   3,    0,    64, 0, 0,    0,    5, 0, 0, 0, 0, 0, 0, 0,  // header
                      0,    0,   0x80, 0xbf, 0,  0, 0x80, 0x3f,  // min -1, step 1
                      0xc8, 0x39}));                             // 0 1 7 4 3
}

TEST(QuantizeWire, NamesItsRounding) {
  const QuantizeCodec stochastic({.group = 512, .rounding = Rounding::kStochastic});
  const auto payload = encoded(stochastic, {1.0F}, Level(8));
  EXPECT_EQ(std::vector<std::byte>(payload.begin(), payload.begin() + 8),
            bytes_of({'Q', 1, 8, 1, 0, 2, 0, 0}));
}

TEST(QuantizeWire, IsReadWhateverGroupAndRoundingTheReaderHas) {
  const auto values = normal_values(300, 1);
  const QuantizeCodec writer({.group = 64, .rounding = Rounding::kStochastic});
  const QuantizeCodec reader({.group = 2048});
  const auto payload = encoded(writer, values, Level(5), 3);
  EXPECT_EQ(decoded(reader, payload, 300), decoded(writer, payload, 300));
}

class HostilePayload : public testing::Test {
 protected:
  /// What decoding says of the payload with `bytes` written over it at `at`.
  std::string error_with(std::size_t at, std::initializer_list<unsigned> bytes) const {
    std::vector<std::byte> damaged = payload_;
    const auto replacement = bytes_of(bytes);
    std::copy(replacement.begin(), replacement.end(),
              damaged.begin() + static_cast<std::ptrdiff_t>(at));
    return payload_error(codec_, damaged, 130);
  }

  QuantizeCodec codec_{QuantizeConfig{.group = 64}};
  // Header, then three groups: 8 + 32, 8 + 32 and 8 + 1 bytes.
  std::vector<std::byte> payload_ = encoded(codec_, normal_values(130, 2), Level(4));
};

TEST_F(HostilePayload, TheUndamagedOneIsRead) {
  EXPECT_EQ(payload_.size(), 16U + 40 + 40 + 9);
  EXPECT_EQ(payload_error(codec_, payload_, 130), "");
}

TEST_F(HostilePayload, EveryLengthButTheRightOneIsRefused) {
  for (std::size_t size = 0; size < payload_.size(); ++size) {
    const std::vector<std::byte> cut(payload_.begin(),
                                     payload_.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string expected = size < 16 ? "shorter than its header" : "its header implies 105";
    EXPECT_NE(payload_error(codec_, cut, 130).find(expected), std::string::npos) << size;
  }
  payload_.push_back(std::byte{0});
  EXPECT_NE(payload_error(codec_, payload_, 130).find("106 bytes, its header implies 105"),
            std::string::npos);
}

TEST_F(HostilePayload, HeadersThatLieAreNamed) {
  EXPECT_NE(error_with(0, {'H'}).find("starts with 0x48, expected 'Q'"), std::string::npos);
  EXPECT_NE(error_with(1, {9}).find("version 9"), std::string::npos);
  EXPECT_NE(error_with(2, {0}).find("0 bits"), std::string::npos);
  EXPECT_NE(error_with(2, {200}).find("200 bits"), std::string::npos);
  EXPECT_NE(error_with(2, {5}).find("105 bytes, its header implies"), std::string::npos);
  EXPECT_NE(error_with(3, {2}).find("rounding 2"), std::string::npos);
  EXPECT_NE(error_with(4, {0}).find("groups of 0 values"), std::string::npos);
  EXPECT_NE(error_with(4, {65}).find("groups of 65 values"), std::string::npos);
  EXPECT_NE(error_with(4, {0, 0, 0, 0x80}).find("groups of 2147483648"), std::string::npos);
  EXPECT_NE(error_with(8, {131}).find("holds 131 values, 130 were expected"), std::string::npos);
  EXPECT_NE(error_with(15, {0xff}).find("were expected"), std::string::npos);
}

TEST_F(HostilePayload, GridsThatCannotBeAreNamed) {
  // The second group starts at 16 + 40: minimum, then step.
  EXPECT_NE(error_with(60, {0, 0, 0x80, 0xbf}).find("group 1 has minimum"), std::string::npos);
  EXPECT_NE(error_with(60, {0, 0, 0x80, 0x7f}).find("step inf"), std::string::npos);
  EXPECT_NE(error_with(60, {0, 0, 0xc0, 0x7f}).find("step nan"), std::string::npos);
  EXPECT_NE(error_with(56, {0, 0, 0x80, 0xff}).find("minimum -inf"), std::string::npos);
}

TEST_F(HostilePayload, AnyCodesAreSomeValues) {
  std::fill(payload_.begin() + 24, payload_.begin() + 56, std::byte{0xff});
  EXPECT_EQ(payload_error(codec_, payload_, 130), "");
}

}  // namespace
}  // namespace convoy::compress
