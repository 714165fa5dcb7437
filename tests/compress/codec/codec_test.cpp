// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "base/errors.h"

namespace convoy::compress {
namespace {

/// Level s: each value as a whole number of steps of s, in four bytes. Overrides what it must.
class RoundingCodec : public Codec {
 public:
  std::string_view family() const override { return "rounding"; }
  void check_level(Level level) const override {
    require(!level.is_dense(), "rounding: dense is no step");
  }
  std::size_t promised_per_value = 4;

 private:
  std::size_t do_max_bytes(std::int64_t numel, Level) const override {
    return static_cast<std::size_t>(numel) * promised_per_value;
  }
  std::size_t do_encode(Values values, Level level, std::uint64_t,
                        std::span<std::byte> out) const override {
    const auto floats = std::get<std::span<const float>>(values);
    const auto step = static_cast<float>(level.value());
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const float rounded = std::nearbyint(floats[i] / step) * step;
      if (out.size() >= 4 * (i + 1)) std::memcpy(&out[4 * i], &rounded, 4);
    }
    return 4 * floats.size();
  }
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override {
    if (payload.size() != out.size_bytes()) throw PayloadError("rounding: wrong size");
    std::memcpy(out.data(), payload.data(), payload.size());
  }
};

/// The message of the ContractError that `work` throws; empty if it throws none.
template <typename Work>
std::string contract_error(const Work& work) {
  try {
    work();
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(Codec, CountsValuesOfEveryElementType) {
  const std::vector<float> floats(3);
  const std::vector<Half> halves(4);
  const std::vector<BFloat16> brains(5);
  EXPECT_EQ(numel(Values(std::span(floats))), 3);
  EXPECT_EQ(numel(Values(std::span(halves))), 4);
  EXPECT_EQ(numel(Values(std::span(brains))), 5);
}

TEST(Codec, AnOutputThatIsTooSmallIsRefusedWithTheSizes) {
  const std::vector<float> values(3);
  std::vector<std::byte> out(11);
  const std::string message =
      contract_error([&] { (void)RoundingCodec().encode(std::span(values), Level(0.5), 0, out); });
  EXPECT_NE(message.find("rounding encode: 3 values at level 0.5 need 12 bytes, the output has 11"),
            std::string::npos)
      << message;
}

TEST(Codec, ANegativeCountAndAForeignLevelAreRefused) {
  EXPECT_NE(contract_error([] { (void)RoundingCodec().max_bytes(-1, Level(1)); }).find("-1 values"),
            std::string::npos);
  EXPECT_NE(contract_error([] {
              (void)RoundingCodec().max_bytes(1, Level::dense());
            }).find("dense is no step"),
            std::string::npos);
}

TEST(Codec, ACodecThatBreaksItsOwnPromiseIsCaught) {
  RoundingCodec codec;
  codec.promised_per_value = 3;
  const std::vector<float> values(4);
  std::vector<std::byte> out(12);
  EXPECT_NE(contract_error([&] {
              (void)codec.encode(std::span(values), Level(1), 0, out);
            }).find("took 16 bytes, more than the 12"),
            std::string::npos);
}

TEST(Codec, AddsScaledValuesByDefault) {
  const RoundingCodec codec;
  const std::vector<float> values{1.0F, 2.0F};
  std::vector<std::byte> payload(8);
  (void)codec.encode(std::span(values), Level(1), 0, payload);
  std::vector<float> out{10.0F, 20.0F};
  codec.add_decoded(payload, 0.5F, out);
  EXPECT_EQ(out, (std::vector<float>{10.5F, 21.0F}));
  EXPECT_THROW(codec.add_decoded(std::span(payload).first(7), 1.0F, out), PayloadError);
}

TEST(Codec, MeasuresLevelsInTheOrderOfTheCandidatesDenseIncluded) {
  const std::vector<float> values{0.25F, 1.0F, 3.0F};
  const std::vector<Level> candidates{Level(1), Level::dense(), Level(2)};
  const auto table = RoundingCodec().levels(values, candidates);
  ASSERT_EQ(table.size(), 3U);
  EXPECT_EQ(table[0].level, Level(1));
  EXPECT_EQ(table[0].error, 0.0625);
  EXPECT_TRUE(table[1].level.is_dense());
  EXPECT_EQ(table[1].bytes, 12.0);
  EXPECT_EQ(table[1].error, 0.0);
  EXPECT_EQ(table[2].level, Level(2));
  EXPECT_EQ(table[2].error, 0.0625 + 1.0 + 1.0);
  EXPECT_TRUE(RoundingCodec().levels(values, {}).empty());
}

}  // namespace
}  // namespace convoy::compress
