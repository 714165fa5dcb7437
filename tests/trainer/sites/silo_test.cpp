// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <mutex>

#include "base/errors.h"
#include "tests/trainer/sites/silo_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

TEST(Silo, OneRankHasTheBitsOfLocalTrainer) {
  Job job = silo_job();
  const SiloData data{.validation = 0.2};
  expect_same_bits(train_silo(1, job, data), train_alone(job, data));
  job.model.dropout = 0.4;
  job.train.optimizer.name = "adamw";
  job.train.schedule.name = "cosine";
  job.federation.updates = 50;
  expect_same_bits(train_silo(1, job, data), train_alone(job, data));
  job.train.amp = "bf16";
  expect_same_bits(train_silo(1, job, data), train_alone(job, data));
}

/// BatchNorm and augmentation.
Job image_job() {
  Job job = silo_job();
  job.data = {};
  job.data.name = "fashion-mnist";
  job.data.limit = 100;
  job.data.augment = true;
  job.model.name = "resnet20";
  job.train.batch_size = 3;
  return job;
}

TEST(Silo, OneRankHasTheBitsOfLocalTrainerWithImages) {
  const Job job = image_job();
  const Rounds rounds{.steps = {2, 1}, .keep_going = {}};
  expect_same_bits(train_silo(1, job, {}, rounds), train_alone(job, {}, rounds));
}

TEST(Silo, RanksEqualOneProcessWithTheGlobalBatch) {
  const Job job = silo_job();
  const SiloData data{.validation = 0.15};
  for (const int ranks : {2, 3, 4}) {
    SCOPED_TRACE(ranks);
    expect_close(train_silo(ranks, job, data), train_alone(with_global_batch(job, ranks), data));
  }
}

/// 25 of 3 x 8: the last global batch has one sample, which rank 2 gets; and fewer samples than a
/// batch of one rank.
TEST(Silo, SmallSitesEqualOneProcessToo) {
  Job job = silo_job();
  job.train.batch_size = 8;
  const Rounds rounds{.steps = {5}, .keep_going = {}};
  for (const std::int64_t samples : {25, 5, 3}) {
    SCOPED_TRACE(samples);
    const SiloData data{.samples = samples};
    expect_close(train_silo(3, job, data, rounds),
                 train_alone(with_global_batch(job, 3), data, rounds));
  }
}

TEST(Silo, TheSameSeedGivesTheSameBits) {
  Job job = silo_job();
  job.model.dropout = 0.4;
  const auto first = train_silo(3, job);
  expect_same_bits(train_silo(3, job), first);
  job.run.seed = 6;
  EXPECT_GT(distance(train_silo(3, job)[0].update.delta, first[0].update.delta), 0.01);
}

TEST(Silo, AllRanksComeToTheSameResult) {
  for (const char* buffers : {"broadcast", "average"}) {
    Job job = image_job();
    job.train.buffers = buffers;
    std::vector<LocalResult> results(3);
    comm::local::run(3, [&](comm::Communicator& site) {
      SiloRank rank(site, silo_setup(job, {.validation = 0.1}));
      results[static_cast<std::size_t>(site.rank())] =
          rank.train({.steps = 2}, copy_state(rank.model()), {});
      EXPECT_EQ(rank.samples(), 55);
    });
    expect_same_bits({results[1]}, {results[0]});
    expect_same_bits({results[2]}, {results[0]});
    EXPECT_EQ(results[0].validation->samples, 6);
  }
}

TEST(Silo, CompressesInsideAndGoesOnWithWhatItOwes) {
  const Job job = silo_job();
  SiloData data;
  data.compression.family = "top_k";
  data.compression.min_numel = 1;
  const Rounds rounds{.steps = {20, 20}, .keep_going = {}};
  const auto found = train_silo(2, job, data, rounds);
  expect_same_bits(train_silo(2, job, data, rounds), found);
  const auto dense = train_silo(2, job, {}, rounds);
  EXPECT_GT(distance(found[0].update.delta, dense[0].update.delta), 0.01);
  EXPECT_LT(found[1].loss, 0.7 * found[0].loss);
}

/// The job's own [compression] is of updates to the server.
TEST(Silo, DoesNotCompressInsideWhereTheSiteDoesNotSay) {
  Job job = silo_job();
  const auto dense = train_silo(2, job);
  job.compression.family = "top_k";
  job.compression.min_numel = 1;
  expect_same_bits(train_silo(2, job), dense);
}

TEST(Silo, GivesASlowRankLess) {
  Job job = silo_job();
  job.train.batch_size = 8;
  job.train.balance = "speed";
  job.train.balance_every = 3;
  job.train.emulate_sample_seconds = {0.0005, 0.0005, 0.002};
  SiloData data{.samples = 240};
  const Rounds rounds{.steps = {8, 8}, .keep_going = {}};
  std::vector<std::int64_t> parts;
  std::vector<LocalResult> results;
  comm::local::run(3, [&](comm::Communicator& site) {
    SiloRank rank(site, silo_setup(job, data));
    auto own =
        run_rounds(rank.model(), rounds, [&](const SiteRound& round, const ModelState& start) {
          return rank.train(round, start, {});
        });
    if (site.rank() != 0) return;
    results = std::move(own);
    parts = rank.parts();
  });
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0] + parts[1] + parts[2], 24);
  EXPECT_LT(parts[2], 6);
  expect_close(results, train_alone(with_global_batch(job, 3), data, rounds));
}

/// As LocalTrainer, which is asked after each step.
TEST(Silo, EndsARoundWhereRankZeroSaysSo) {
  const Job job = silo_job();
  const SiloData data{.validation = 0.2};
  const auto stops_at = [](int call) {
    return [calls = std::make_shared<int>(0), call] { return ++*calls != call; };
  };
  const auto found = train_silo(3, job, data, {.steps = {9, 4}, .keep_going = stops_at(3)});
  const auto expected =
      train_alone(with_global_batch(job, 3), data, {.steps = {9, 4}, .keep_going = stops_at(3)});
  EXPECT_EQ(found[0].steps, 3);
  EXPECT_FALSE(found[0].validation.has_value());
  EXPECT_EQ(found[1].steps, 4);
  EXPECT_TRUE(found[1].validation.has_value());
  expect_close(found, expected);
}

TEST(Silo, ALossThatIsNotFiniteEndsTheRoundOnAllRanks) {
  Job job = silo_job();
  job.train.optimizer.lr = 1e30;
  job.train.clip_norm = 0.0;
  const auto found = train_silo(3, job, {}, {.steps = {40}, .keep_going = {}});
  EXPECT_FALSE(found[0].finite);
  EXPECT_LT(found[0].steps, 40);
  EXPECT_GE(found[0].steps, 1);
}

TEST(Silo, TellsTheOthersWhatTheServerHasOffered) {
  std::mutex mutex;
  std::vector<std::pair<std::string, std::int64_t>> seen;
  comm::local::run(3, [&](comm::Communicator& site) {
    const MakeSilo make = [&](const SiloOffer& offer) {
      const std::lock_guard lock(mutex);
      seen.emplace_back(offer.job + offer.script, offer.number);
      return silo_setup(silo_job());
    };
    if (site.rank() != 0) return serve_silo(site, make);
    Silo silo(site);
    EXPECT_EQ(silo.start({.job = "one", .script = "", .number = 1}, make)->ranks(), 3);
    // Another job: what was there before is gone.
    const auto worker = silo.start({.job = "two", .script = "!", .number = 4}, make);
    EXPECT_EQ(worker->samples(), 61);
    EXPECT_EQ(worker->train({.steps = 3, .position = 9}, copy_state(worker->model()), {}).steps, 3);
    EXPECT_EQ(worker->position(), 12);
  });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, std::int64_t>>{
                      {"one", 1}, {"one", 1}, {"one", 1}, {"two!", 4}, {"two!", 4}, {"two!", 4}}));
}

}  // namespace
}  // namespace convoy::trainer
