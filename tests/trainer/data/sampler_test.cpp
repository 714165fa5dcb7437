// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

using Indices = std::vector<std::int64_t>;

/// Global batches of one epoch: the parts of all ranks, one behind the other.
std::vector<Indices> global_batches(std::int64_t size, int ranks, std::int64_t batch_size,
                                    std::uint64_t seed, std::int64_t epoch) {
  std::vector<Indices> batches;
  for (int rank = 0; rank < ranks; ++rank) {
    Sampler sampler(size, rank, ranks, batch_size, seed);
    batches.resize(sampler.batches_per_epoch());
    for (std::int64_t b = 0; b < sampler.batches_per_epoch(); ++b) {
      const Share share = sampler.share(epoch, b);
      EXPECT_LE(share.indices.size(), static_cast<std::size_t>(batch_size));
      batches[b].insert(batches[b].end(), share.indices.begin(), share.indices.end());
    }
  }
  return batches;
}

TEST(Sampler, DealsEverySampleExactlyOnce) {
  for (std::int64_t size = 1; size <= 100; ++size) {
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (const std::int64_t batch_size : {1, 3, 8, 150}) {
        Indices all;
        for (const auto& batch : global_batches(size, ranks, batch_size, 7, 2)) {
          all.insert(all.end(), batch.begin(), batch.end());
        }
        std::sort(all.begin(), all.end());
        Indices expected(size);
        std::iota(expected.begin(), expected.end(), 0);
        ASSERT_EQ(all, expected) << size << " samples, " << ranks << " ranks of " << batch_size;
      }
    }
  }
}

TEST(Sampler, ManyRanksSeeTheGlobalBatchesOfOne) {
  for (const std::int64_t size : {1, 31, 32, 33, 100, 257}) {
    for (int ranks = 2; ranks <= 5; ++ranks) {
      EXPECT_EQ(global_batches(size, ranks, 8, 3, 1), global_batches(size, 1, ranks * 8, 3, 1));
    }
  }
}

TEST(Sampler, TakesPartsOfAnySize) {
  const std::vector<std::int64_t> parts{5, 0, 19};
  for (const std::int64_t size : {24, 100, 119}) {
    Sampler one(size, 0, 1, 24, 3);
    for (std::int64_t batch = 0; batch < one.batches_per_epoch(); ++batch) {
      Indices together;
      for (int rank = 0; rank < 3; ++rank) {
        Sampler sampler(size, rank, 3, 8, 3);
        sampler.set_parts(parts);
        const Share share = sampler.share(1, batch);
        if (share.global_samples == 24) {
          EXPECT_EQ(std::ssize(share.indices), parts[static_cast<std::size_t>(rank)]);
        }
        together.insert(together.end(), share.indices.begin(), share.indices.end());
      }
      const auto whole = one.share(1, batch).indices;
      EXPECT_EQ(together, Indices(whole.begin(), whole.end())) << size << ", " << batch;
    }
  }
  Sampler sampler(100, 0, 3, 8, 3);
  EXPECT_THROW(sampler.set_parts({8, 8, 7}), ContractError);
  EXPECT_THROW(sampler.set_parts({8, 16}), ContractError);
  EXPECT_THROW(sampler.set_parts({25, -1, 0}), ContractError);
}

TEST(Sampler, SharesTheTailEvenlyAndSaysItsSize) {
  // 100 samples in batches of 3 * 32: the last one has 4.
  std::vector<std::size_t> sizes;
  for (int rank = 0; rank < 3; ++rank) {
    Sampler sampler(100, rank, 3, 32, 1);
    ASSERT_EQ(sampler.batches_per_epoch(), 2);
    EXPECT_EQ(sampler.share(0, 0).global_samples, 96);
    EXPECT_EQ(sampler.share(0, 0).indices.size(), 32U);
    EXPECT_EQ(sampler.share(0, 1).global_samples, 4);
    sizes.push_back(sampler.share(0, 1).indices.size());
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 1, 2}));
}

TEST(Sampler, GivesSomeRanksNothingOfATinyTail) {
  std::size_t dealt = 0;
  for (int rank = 0; rank < 4; ++rank) {
    Sampler sampler(9, rank, 4, 2, 1);
    const Share share = sampler.share(0, 1);
    EXPECT_EQ(share.global_samples, 1);
    EXPECT_EQ(share.first_rank == rank, !share.indices.empty());
    EXPECT_EQ(sampler.share(0, 0).first_rank, 0);
    dealt += share.indices.size();
  }
  EXPECT_EQ(dealt, 1U);
}

TEST(Sampler, OrderDependsOnSeedAndEpochOnly) {
  EXPECT_EQ(global_batches(64, 2, 8, 1, 0), global_batches(64, 2, 8, 1, 0));
  EXPECT_NE(global_batches(64, 2, 8, 1, 0), global_batches(64, 2, 8, 1, 1));
  EXPECT_NE(global_batches(64, 2, 8, 1, 0), global_batches(64, 2, 8, 2, 0));
}

TEST(Sampler, RemembersNothingBetweenCalls) {
  Sampler straight(50, 1, 2, 4, 9);
  Sampler jumping(50, 1, 2, 4, 9);
  (void)jumping.share(5, 3);
  (void)jumping.share(0, 6);
  const Share a = straight.share(2, 1);
  const Share b = jumping.share(2, 1);
  EXPECT_TRUE(std::equal(a.indices.begin(), a.indices.end(), b.indices.begin(), b.indices.end()));
}

TEST(Sampler, BearsAHugeBatchSize) {
  Sampler sampler(10, 1, 2, std::numeric_limits<std::int64_t>::max(), 1);
  EXPECT_EQ(sampler.batches_per_epoch(), 1);
  EXPECT_EQ(sampler.share(0, 0).indices.size(), 5U);
}

TEST(Sampler, RefusesImpossibleArguments) {
  EXPECT_THROW(Sampler(0, 0, 1, 1, 1), ContractError);
  EXPECT_THROW(Sampler(1, 1, 1, 1, 1), ContractError);
  EXPECT_THROW(Sampler(1, -1, 1, 1, 1), ContractError);
  EXPECT_THROW(Sampler(1, 0, 1, 0, 1), ContractError);
  Sampler sampler(4, 0, 1, 2, 1);
  EXPECT_THROW((void)sampler.share(0, 2), ContractError);
  EXPECT_THROW((void)sampler.share(-1, 0), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
