// SPDX-License-Identifier: Apache-2.0
#include "trainer/speed_balance.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/errors.h"
#include "base/file.h"
#include "base/random.h"
#include "tests/trainer/training_fixture.h"

namespace convoy::trainer {
namespace {

using tests::small_job;
using tests::TemporaryFolder;
using tests::train_local;
using Parts = std::vector<std::int64_t>;

/// Five micro-batches of every rank at `seconds` a sample, some percent noise on it.
void measure(SpeedBalance& balance, int rank, double seconds, double noise, std::uint64_t seed) {
  Random random({seed, static_cast<std::uint64_t>(rank)});
  const std::int64_t part = balance.parts()[static_cast<std::size_t>(rank)];
  for (int batch = 0; batch < 5; ++batch) {
    const double factor = 1.0 + noise * (2.0 * random.uniform() - 1.0);
    balance.add(part, seconds * static_cast<double>(part) * factor);
  }
  balance.add(part - 1, 100.0);  // the end of an epoch says nothing
}

TEST(SpeedBalance, FollowsTheMeasuredSpeeds) {
  comm::local::run(3, [](comm::Communicator& world) {
    SpeedBalance balance(world, 96);
    EXPECT_EQ(balance.parts(), (Parts{32, 32, 32}));
    EXPECT_FALSE(balance.rebalance()) << "nothing is known yet";
    measure(balance, world.rank(), world.rank() == 2 ? 0.03 : 0.01, 0.0, 1);
    EXPECT_TRUE(balance.rebalance());
    EXPECT_EQ(balance.parts(), (Parts{42, 41, 13}));
    for (int round = 0; round < 8; ++round) {
      measure(balance, world.rank(), world.rank() == 0 ? 0.03 : 0.01, 0.0, 1);
      (void)balance.rebalance();
    }
    EXPECT_NEAR(static_cast<double>(balance.parts()[0]), 14.0, 2.0) << "another rank is slow now";
  });
}

TEST(SpeedBalance, IsNotMovedByNoise) {
  comm::local::run(3, [](comm::Communicator& world) {
    SpeedBalance balance(world, 96);
    for (std::uint64_t round = 0; round < 20; ++round) {
      measure(balance, world.rank(), 0.01, 0.04, round);
      EXPECT_FALSE(balance.rebalance());
    }
  });
}

TEST(SpeedBalance, GoesOnWithThePartsOfACheckpoint) {
  comm::local::run(3, [](comm::Communicator& world) {
    const Parts saved{41, 41, 14};
    SpeedBalance balance(world, 96);
    balance.restore(saved[static_cast<std::size_t>(world.rank())]);
    EXPECT_EQ(balance.parts(), saved);
    SpeedBalance larger(world, 192);
    larger.restore(saved[static_cast<std::size_t>(world.rank())]);
    EXPECT_EQ(larger.parts(), (Parts{64, 64, 64}));
    balance.restore(0);
    EXPECT_EQ(balance.parts(), (Parts{32, 32, 32}));
  });
}

Job slow_rank_job(const std::string& balance) {
  Job job = small_job();
  job.train.balance = balance;
  job.train.balance_every = 4;
  job.train.batch_size = 16;
  job.train.emulate_sample_seconds = {5e-4, 5e-4, 15e-4};
  return job;
}

nlohmann::json last_interval(const std::filesystem::path& run_dir) {
  nlohmann::json last;
  std::istringstream lines(read_text_file(run_dir / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    if (json["kind"] == "train") last = std::move(json);
  }
  return last;
}

TEST(SpeedBalance, TrainsTheSameNetworkInLessTime) {
  TemporaryFolder folder;
  const auto equal = train_local(slow_rank_job("equal"), 3, folder.path() / "equal");
  const auto balanced = train_local(slow_rank_job("speed"), 3, folder.path() / "speed");
  // The same global batches, weighted exactly: only the order of sums differs.
  EXPECT_NEAR(balanced.loss, equal.loss, 1e-5 * equal.loss);
  EXPECT_EQ(balanced.samples, equal.samples);
  const auto parts = last_interval(folder.path() / "speed").at("parts").get<Parts>();
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0] + parts[1] + parts[2], 48);
  EXPECT_LT(parts[2], parts[0]);
  EXPECT_FALSE(last_interval(folder.path() / "equal").contains("parts"));
  // 2.3 on an idle machine (docs/results/data_parallel.md); here others may be at work.
  const double faster =
      last_interval(folder.path() / "speed").at("samples_per_second").get<double>() /
      last_interval(folder.path() / "equal").at("samples_per_second").get<double>();
  EXPECT_GT(faster, 1.4);
}

TEST(SpeedBalance, IsRefusedWhereRanksWaitInsideLayers) {
  TemporaryFolder folder;
  Job job = slow_rank_job("speed");
  job.train.sync_batchnorm = true;
  EXPECT_THROW((void)train_local(job, 2, folder.path() / "run"), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer
