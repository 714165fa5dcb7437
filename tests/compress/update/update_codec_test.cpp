// SPDX-License-Identifier: Apache-2.0
#include "compress/update/update_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "compress/codec/top_k_codec.h"
#include "tests/compress/update/updates.h"

namespace convoy::tests {
namespace {

using compress::Level;
using compress::PayloadError;
using compress::UpdateCodec;

TEST(UpdateCodec, WithoutCompressionIsExact) {
  const UpdateCodec codec(update_config("none", 0), update_layers());
  const auto values = random_update(1);
  const auto payload = codec.encode(values, 0);
  EXPECT_EQ(payload.size(), codec.dense_bytes());
  EXPECT_EQ(decoded(codec, payload), values);
}

TEST(UpdateCodec, CompressesLargeLayersOnly) {
  const UpdateCodec codec(update_config("top_k", 0.1), update_layers());
  const auto values = random_update(2);
  const auto payload = codec.encode(values, 0);
  EXPECT_LT(payload.size(), codec.dense_bytes() / 2);
  const std::vector<Level> expected{Level(0.1), Level::dense(), Level(0.1), Level::dense(),
                                    Level::dense()};
  EXPECT_EQ(codec.levels(payload), expected);
  const auto found = decoded(codec, payload);
  EXPECT_EQ(std::vector(found.begin() + 432, found.begin() + 448),
            std::vector(values.begin() + 432, values.begin() + 448));
  EXPECT_EQ(std::count_if(found.begin(), found.begin() + 432, [](float x) { return x != 0; }), 44);
  EXPECT_EQ(
      std::count_if(found.begin() + 448, found.begin() + 2448, [](float x) { return x != 0; }),
      200);
}

TEST(UpdateCodec, PlansOnTheValuesThatItEncodes) {
  auto config = update_config("top_k", 0.05);
  const UpdateCodec uniform(config, update_layers());
  config.policy = "lgreco";
  const UpdateCodec planned(config, update_layers());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto values = random_update(seed);
    const auto of_uniform = uniform.encode(values, 0);
    const auto of_plan = planned.encode(values, 0);
    const double budget = squared_distance(decoded(uniform, of_uniform), values);
    // The table's errors are within 1 % of exact.
    EXPECT_LE(squared_distance(decoded(planned, of_plan), values), 1.03 * budget);
    EXPECT_LT(of_plan.size(), of_uniform.size());
    EXPECT_NE(planned.levels(of_plan), uniform.levels(of_uniform));
    // The levels travel along: who receives it needs no plan.
    EXPECT_EQ(decoded(uniform, of_plan), decoded(planned, of_plan));
  }
}

TEST(UpdateCodec, RoundsByItsKey) {
  auto config = update_config("quantize", 2);
  config.rounding = "stochastic";
  const UpdateCodec codec(config, update_layers());
  const auto values = random_update(3);
  EXPECT_EQ(codec.encode(values, 5), codec.encode(values, 5));
  EXPECT_NE(codec.encode(values, 5), codec.encode(values, 6));
}

TEST(UpdateCodec, RefusesWhatIsNoUpdate) {
  const UpdateCodec codec(update_config("quantize", 4), update_layers());
  const auto payload = codec.encode(random_update(4), 0);
  for (std::size_t size = 0; size < payload.size(); size += 1 + size / 50) {
    EXPECT_THROW((void)decoded(codec, std::span(payload).first(size)), PayloadError) << size;
  }
  auto longer = payload;
  longer.push_back(std::byte{0});
  EXPECT_THROW((void)decoded(codec, longer), PayloadError);
  auto layers = update_layers();
  layers[2].name = "other.weight";
  EXPECT_THROW((void)decoded(UpdateCodec(update_config("quantize", 4), layers), payload),
               PayloadError);
  EXPECT_THROW((void)UpdateCodec(update_config("power_sgd", 4), update_layers()), ConfigError);
  auto timed = update_config("top_k", 0.1);
  timed.objective = "time";
  EXPECT_THROW((void)UpdateCodec(timed, update_layers()), ConfigError);
  EXPECT_THROW((void)codec.encode(std::vector<float>(10), 0), ContractError);
}

TEST(UpdateCodec, SurvivesAnyByte) {
  for (const auto& config :
       {update_config("quantize", 3), update_config("top_k", 0.05), update_config("half", 16)}) {
    const UpdateCodec codec(config, update_layers());
    const auto payload = codec.encode(random_update(5), 0);
    Random random(9);
    int refused = 0;
    for (int trial = 0; trial < 3000; ++trial) {
      auto damaged = payload;
      for (std::uint64_t i = 0; i < 1 + random.below(3); ++i) {
        damaged[random.below(damaged.size())] = static_cast<std::byte>(random.below(256));
      }
      try {
        (void)decoded(codec, damaged);
      } catch (const PayloadError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 0) << config.family;
  }
}

}  // namespace
}  // namespace convoy::tests
