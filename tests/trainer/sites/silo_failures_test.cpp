// SPDX-License-Identifier: Apache-2.0
// Ranks that wait, fail and die.
#include <gtest/gtest.h>
#include <time.h>

#include <array>
#include <stdexcept>
#include <thread>

#include "base/errors.h"
#include "tests/trainer/sites/silo_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{300};

/// What each rank of three has thrown, in words.
std::array<std::string, 3> errors_of(const std::function<void(comm::Communicator&)>& body) {
  std::array<std::string, 3> errors;
  comm::local::run(3, [&](comm::Communicator& site) {
    try {
      body(site);
    } catch (const std::exception& error) {
      errors[static_cast<std::size_t>(site.rank())] = error.what();
    }
  });
  return errors;
}

MakeSilo plain() {
  return [](const SiloOffer&) { return silo_setup(silo_job()); };
}

double cpu_seconds() {
  timespec time{};
  EXPECT_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Longer than any wait of the communicator, before the job and between two rounds.
TEST(SiloFailures, RanksThatWaitLongNeitherGiveUpNorBurnProcessors) {
  comm::local::run(3,
                   [&](comm::Communicator& site) {
                     const double before = cpu_seconds();
                     if (site.rank() != 0) {
                       serve_silo(site, plain());
                       EXPECT_LT(cpu_seconds() - before, 0.5) << "of 3.6 seconds";
                       return;
                     }
                     Silo silo(site);
                     std::this_thread::sleep_for(6 * kPatience);
                     const auto worker = silo.start({}, plain());
                     std::this_thread::sleep_for(6 * kPatience);
                     EXPECT_EQ(worker->train({.steps = 2}, copy_state(worker->model()), {}).steps,
                               2);
                   },
                   {.timeout = kPatience});
}

/// Longer than any wait of the communicator, each for a time of its own.
TEST(SiloFailures, RanksMayReadTheirDataForAsLongAsThatTakes) {
  for (const int slowest : {0, 1, 2}) {
    const auto late = [slowest](const comm::Communicator& site) {
      std::this_thread::sleep_for((site.rank() == slowest ? 4 : site.rank()) * kPatience);
    };
    comm::local::run(3,
                     [&](comm::Communicator& site) {
                       (void)be_silo_rank(site, [&](const SiloOffer&) {
                         late(site);
                         return silo_setup(silo_job());
                       });
                     },
                     {.timeout = kPatience});
  }
}

TEST(SiloFailures, RanksEndWithRankZeroBeforeThereIsAJob) {
  comm::local::run(3, [&](comm::Communicator& site) {
    if (site.rank() != 0) return serve_silo(site, plain());
    const Silo silo(site);
  });
}

/// No order comes of it: the communicator is gone.
TEST(SiloFailures, RanksNoticeThatRankZeroHasDied) {
  auto world = comm::local::make_world(2);
  std::jthread other([&world] { EXPECT_THROW(serve_silo(*world[1], plain()), CommError); });
  std::this_thread::sleep_for(milliseconds(50));
  world[0].reset();
}

/// Reads no sample beyond some number.
class BrokenDataset final : public Dataset {
 public:
  BrokenDataset(std::shared_ptr<const Dataset> inner, bool broken)
      : inner_(std::move(inner)), broken_(broken) {}
  [[nodiscard]] const DataInfo& info() const override { return inner_->info(); }
  [[nodiscard]] std::int64_t size() const override { return inner_->size(); }
  [[nodiscard]] Batch get(std::span<const std::int64_t> indices, std::uint64_t key) const override {
    if (broken_ && ++calls_ > 2) throw std::runtime_error("cannot read file 7");
    return inner_->get(indices, key);
  }

 private:
  std::shared_ptr<const Dataset> inner_;
  bool broken_;
  mutable int calls_ = 0;
};

TEST(SiloFailures, WhatGoesWrongOnAnotherRankIsSaidByAll) {
  const auto errors = errors_of([](comm::Communicator& site) {
    (void)be_silo_rank(site, [&](const SiloOffer&) {
      auto setup = silo_setup(silo_job());
      setup.dataset = std::make_shared<BrokenDataset>(setup.dataset, site.rank() == 1);
      return setup;
    });
  });
  EXPECT_EQ(errors[0], "rank 1: cannot read file 7");
  EXPECT_EQ(errors[1], "cannot read file 7");
  EXPECT_EQ(errors[2], "rank 1: cannot read file 7");
}

TEST(SiloFailures, WhatGoesWrongOnRankZeroAloneEndsTheOthersAtOnce) {
  const auto begin = std::chrono::steady_clock::now();
  const auto errors = errors_of([](comm::Communicator& site) {
    (void)be_silo_rank(site, plain(), {.steps = {5}, .keep_going = []() -> bool {
                                         throw std::runtime_error("the disk is full");
                                       }});
  });
  EXPECT_EQ(errors[0], "the disk is full");
  for (const auto& error : {errors[1], errors[2]}) {
    EXPECT_NE(error.find("rank 0 of the site has failed: the disk is full"), std::string::npos)
        << error;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(SiloFailures, ARankWithoutItsDataRefusesForAll) {
  const auto errors = errors_of([](comm::Communicator& site) {
    (void)be_silo_rank(site, [&](const SiloOffer&) -> SiloSetup {
      require_config(site.rank() != 2, "no such file: /data/x");
      return silo_setup(silo_job());
    });
  });
  EXPECT_EQ(errors[0], "rank 2: no such file: /data/x");
  EXPECT_EQ(errors[1], "rank 2: no such file: /data/x");
  EXPECT_EQ(errors[2], "no such file: /data/x");
}

TEST(SiloFailures, RefusesRanksWithOtherSamples) {
  const auto errors = errors_of([](comm::Communicator& site) {
    (void)be_silo_rank(site, [&](const SiloOffer&) {
      return silo_setup(silo_job(), {.samples = site.rank() == 2 ? 60 : 61});
    });
  });
  for (const auto& error : errors) {
    EXPECT_NE(error.find("rank 2 of the site has other samples"), std::string::npos) << error;
  }
}

TEST(SiloFailures, RefusesMoreRanksThanSamples) {
  const auto errors = errors_of([](comm::Communicator& site) {
    (void)be_silo_rank(site,
                       [](const SiloOffer&) { return silo_setup(silo_job(), {.samples = 2}); });
  });
  EXPECT_EQ(errors[0], "the site has fewer samples (2) than ranks (3)");
}

}  // namespace
}  // namespace convoy::trainer
