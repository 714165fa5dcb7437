// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "tests/temporary_folder.h"
#include "tests/trainer/sites/silo_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

class SiloPrivacyTest : public testing::Test {
 protected:
  SiloPrivacyTest() {
    job.train.optimizer.momentum = 0.0;
    job.train.optimizer.weight_decay = 0.0;
    job.train.clip_norm = 0.0;
    job.federation.proximal = 0.0;
    job.privacy.mode = "per_sample";
    job.privacy.clip = 0.5;
    job.privacy.sigma = 1.0;
    job.privacy.rate = 0.25;
    job.privacy.epsilon = 50.0;
    job.privacy.ledger = folder / "ledgers";
    job.privacy.insecure_seed = 3;
  }

  [[nodiscard]] privacy::LedgerOwner owner(const std::string& site) const {
    return {.site = site, .data = "d"};
  }
  [[nodiscard]] privacy::Account account(const std::string& site) const {
    return privacy::read_account(privacy::ledger_path(job.privacy.ledger, owner(site)));
  }
  [[nodiscard]] PrivateSite private_site(const std::string& site, int rank) const {
    PrivateSite own{.config = job.privacy,
                    .ledger = nullptr,
                    .entropy = privacy::insecure_entropy(static_cast<std::uint64_t>(50 + rank))};
    if (rank != 0) return own;
    own.ledger = std::make_unique<privacy::Ledger>(
        privacy::ledger_path(job.privacy.ledger, owner(site)), owner(site), job.privacy.budget());
    return own;
  }
  [[nodiscard]] std::vector<LocalResult> train(int ranks, const std::string& site,
                                               const Rounds& rounds) const {
    std::vector<LocalResult> results;
    comm::local::run(ranks, [&](comm::Communicator& world) {
      const MakeSilo make = [&](const SiloOffer&) {
        auto setup = silo_setup(job);
        setup.privacy = private_site(site, world.rank());
        return setup;
      };
      auto own = be_silo_rank(world, make, rounds);
      if (world.rank() == 0) results = std::move(own);
    });
    return results;
  }

  TemporaryFolder folder;
  Job job = silo_job();
};

double squares_of(const std::vector<torch::Tensor>& tensors) {
  double sum = 0.0;
  for (const auto& tensor : tensors) sum += tensor.to(torch::kDouble).square().sum().item<double>();
  return sum;
}

TEST_F(SiloPrivacyTest, OneRankHasTheBitsOfLocalTrainer) {
  for (const char* mode : {"per_sample", "per_update"}) {
    job.privacy.mode = mode;
    if (job.privacy.mode == "per_update") job.privacy.rate = 0.0;
    auto setup = silo_setup(job);
    const auto training = local_training_config(job);
    LocalTrainer alone(std::move(setup.model), *setup.dataset, training);
    ClientData data(setup.samples, 0.0, job.train.batch_size, kSiteKey);
    const auto rule =
        make_private_rounds(private_site(std::string("alone-") + mode, 0), alone.model(), training);
    const auto expected =
        alone.run(data, copy_state(alone.model()), 5, {}, 0, rule.get()).update.delta;
    const auto found = train(1, std::string("silo-") + mode, {.steps = {5}, .keep_going = {}});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(torch::equal(found[0].update.delta[i], expected[i])) << mode << i;
    }
  }
}

/// Batches are empty: what is left is the noise, whose variance would grow by each rank that adds
/// its own.
TEST_F(SiloPrivacyTest, AddsTheNoiseOfAStepOnceForAllRanks) {
  job.privacy.rate = 1e-9;
  job.privacy.epsilon = 1.0;
  job.model.hidden = 400;
  job.train.optimizer.lr = 1e-9;
  for (const int ranks : {1, 3}) {
    const auto site = "site" + std::to_string(ranks);
    const auto found = train(ranks, site, {.steps = {4}, .keep_going = {}});
    const double numel = 8 * 400 + 400 + 400 * 4 + 4;
    const double deviation = 1e-9 * job.privacy.sigma * job.privacy.clip / (1e-9 * 61);
    EXPECT_NEAR(squares_of(found[0].update.delta) / (4 * numel * deviation * deviation), 1.0,
                6 * std::sqrt(2.0 / numel))
        << ranks;
    EXPECT_EQ(account(site).spent.steps(), 4);
    EXPECT_EQ(found[0].privacy->steps, 4);
    EXPECT_TRUE(std::isnan(found[0].loss));
  }
}

/// Without noise, and with a huge clip, the gradient of all records.
TEST_F(SiloPrivacyTest, EveryRecordIsInOneRanksPart) {
  job.privacy.rate = 1.0;
  job.privacy.sigma = 1e-6;
  job.privacy.clip = 1e3;
  job.privacy.epsilon = 1e15;
  const Rounds rounds{.steps = {3}, .keep_going = {}};
  const auto one = train(1, "one", rounds);
  const auto three = train(3, "three", rounds);
  EXPECT_LT(distance(three[0].update.delta, one[0].update.delta), 1e-2);
  EXPECT_EQ(three[0].samples, 3 * 61);
  Job plain = job;
  plain.privacy = {};
  plain.train.batch_size = 61;
  EXPECT_LT(distance(one[0].update.delta, train_alone(plain, {}, rounds)[0].update.delta), 1e-2);
}

/// One clipped and noised vector, whatever the ranks.
TEST_F(SiloPrivacyTest, ReleasesAnUpdateOnce) {
  job.privacy.mode = "per_update";
  job.privacy.rate = 0.0;
  job.privacy.sigma = 2.0;
  job.model.hidden = 400;
  for (const int ranks : {1, 3}) {
    const auto site = "site" + std::to_string(ranks);
    const auto found = train(ranks, site, {.steps = {10}, .keep_going = {}});
    const double numel = 8 * 400 + 400 + 400 * 4 + 4;
    // The update itself adds at most 0.25 to a sum of squares of about 5204.
    EXPECT_NEAR(squares_of(found[0].update.delta) / numel, 1.0, 6 * std::sqrt(2.0 / numel));
    EXPECT_EQ(account(site).spent.steps(), 1);
    EXPECT_EQ(found[0].steps, 10);
  }
}

TEST_F(SiloPrivacyTest, ACutRoundAndTheEndOfTheBudgetAreTheSameOnAllRanks) {
  privacy::Accountant seven;
  seven.add({job.privacy.rate, job.privacy.sigma}, 7);
  job.privacy.epsilon = seven.spent(job.privacy.delta).epsilon;
  const auto found = train(3, "site", {.steps = {5, 5, 5}, .keep_going = {}});
  EXPECT_EQ(found[1].steps, 2);
  EXPECT_TRUE(found[1].privacy->leaves);
  EXPECT_EQ(found[2].steps, 0);
  EXPECT_EQ(account("site").spent.steps(), 7);
}

}  // namespace
}  // namespace convoy::trainer
