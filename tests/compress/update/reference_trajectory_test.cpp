// SPDX-License-Identifier: Apache-2.0
#include "compress/update/reference_trajectory.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/compress/update/updates.h"

namespace convoy::tests {
namespace {

using compress::PayloadError;
using compress::ReferenceFollower;
using compress::ReferenceTrajectory;
using compress::UpdateCodec;

std::vector<float> sum(std::vector<float> a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

TEST(ReferenceTrajectory, BringsEveryFollowerToTheSameBits) {
  for (const auto& config : {update_config("top_k", 0.05), update_config("quantize", 4)}) {
    const UpdateCodec codec(config, update_layers());
    auto model = random_update(100);
    ReferenceTrajectory server(codec, model, /*versions=*/4, 1);
    std::vector<ReferenceFollower> clients(4, ReferenceFollower(codec));
    Random random(5);
    for (std::uint64_t version = 1; version < 40; ++version) {
      model = sum(model, random_update(version, 0.1));
      server.advance(model);
      ReferenceFollower& client = clients[random.below(clients.size())];
      client.follow(server.message(client.version()));
      EXPECT_EQ(client.version(), server.version());
      EXPECT_EQ(client.values(), server.values());
    }
  }
}

TEST(ReferenceTrajectory, CatchesUpWithAModelThatStays) {
  const UpdateCodec codec(update_config("top_k", 0.1), update_layers());
  const auto start = random_update(1);
  ReferenceTrajectory server(codec, start, 4, 1);
  const auto model = sum(start, random_update(2));
  const double first = squared_distance(server.values(), model);
  for (int version = 0; version < 30; ++version) server.advance(model);
  EXPECT_LT(squared_distance(server.values(), model), 1e-9 * first);
}

TEST(ReferenceTrajectory, SendsTheSmallerOfPayloadsAndValues) {
  const UpdateCodec codec(update_config("quantize", 8), update_layers());
  const std::size_t dense = 24 + static_cast<std::size_t>(codec.numel()) * sizeof(float);
  auto model = random_update(1);
  ReferenceTrajectory server(codec, model, /*versions=*/8, 1);
  EXPECT_EQ(server.message(std::nullopt).size(), dense);
  EXPECT_EQ(server.message(0).size(), 24U) << "nothing to send";
  for (std::uint64_t version = 1; version <= 6; ++version) {
    model = sum(model, random_update(version));
    server.advance(model);
  }
  const std::size_t one = server.message(5).size();
  EXPECT_LT(one, dense / 2);
  EXPECT_NEAR(static_cast<double>(server.message(4).size()), 2.0 * static_cast<double>(one), 40.0);
  EXPECT_EQ(server.message(0).size(), dense) << "six payloads of 8 bits are more than the values";
}

TEST(ReferenceTrajectory, SendsTheValuesWhereTheRingHasForgotten) {
  const UpdateCodec codec(update_config("top_k", 0.001), update_layers());
  auto model = random_update(1);
  ReferenceTrajectory server(codec, model, /*versions=*/2, 1);
  for (int version = 0; version < 3; ++version) server.advance(model);
  EXPECT_LT(server.message(1).size(), server.message(0).size());
  ReferenceFollower client(codec);
  client.follow(server.message(0));  // from a version that the client had once, before it restarted
  EXPECT_EQ(client.values(), server.values());

  ReferenceTrajectory restored(codec, model, 2, 1);
  restored.restore(server.version(), server.values());
  EXPECT_EQ(restored.hash(), server.hash());
  EXPECT_EQ(restored.message(2), server.message(std::nullopt));
  EXPECT_THROW(restored.restore(1, std::vector<float>(5)), ConfigError);
}

TEST(ReferenceFollower, FollowsFromValuesThatCameByAnotherWay) {
  const UpdateCodec codec(update_config("top_k", 0.1), update_layers());
  auto model = random_update(1);
  ReferenceTrajectory server(codec, model, /*versions=*/4, 1);
  for (std::uint64_t version = 1; version <= 2; ++version) {
    server.advance(model = sum(model, random_update(version)));
  }
  ReferenceFollower client(codec);
  client.hold(2, server.values());
  EXPECT_EQ(client.version(), 2);
  server.advance(sum(model, random_update(3)));
  client.follow(server.message(2));
  EXPECT_EQ(client.version(), 3);
  EXPECT_EQ(client.values(), server.values());
  EXPECT_THROW(client.hold(4, {1.0F}), ContractError);
}

TEST(ReferenceFollower, HoldsNothingAfterAMessageThatDoesNotFit) {
  const UpdateCodec codec(update_config("quantize", 4), update_layers());
  ReferenceTrajectory server(codec, random_update(1), 4, 1);
  ReferenceFollower client(codec);
  server.advance(random_update(2));
  EXPECT_THROW(client.follow(server.message(0)), PayloadError) << "it holds no version 0";
  client.follow(server.message(client.version()));
  server.advance(random_update(3));
  auto damaged = server.message(client.version());
  damaged[damaged.size() - 50] ^= std::byte{1};
  EXPECT_THROW(client.follow(damaged), PayloadError);
  EXPECT_EQ(client.version(), std::nullopt);
  const auto message = server.message(client.version());
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, message.size() - 1}) {
    EXPECT_THROW(client.follow(std::span(message).first(size)), PayloadError) << size;
  }
  client.follow(message);
  EXPECT_EQ(client.values(), server.values());
}

}  // namespace
}  // namespace convoy::tests
