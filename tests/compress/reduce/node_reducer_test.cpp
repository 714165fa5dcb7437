// SPDX-License-Identifier: Apache-2.0
// Averages in hosts first and between hosts then, on threads as ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/values.h"
#include "tests/compress/reduce/reducer_kit.h"

namespace convoy::tests {
namespace {

using comm::local::run;
using compress::Layer;
using compress::Reducer;

/// The host of each rank.
using Hosts = std::vector<int>;

const std::vector<Hosts>& placements() {
  static const std::vector<Hosts> all{{0, 0, 1, 1}, {0, 1, 1}, {0, 1, 0, 1, 2}, {0, 0, 0}};
  return all;
}

int host_of(const Hosts& hosts, const comm::Communicator& communicator) {
  return hosts[static_cast<std::size_t>(communicator.rank())];
}

/// What a host has to say to the others: its ranks' sum, times hosts / ranks.
Gradients gradients_of_host(const Hosts& hosts, int host, std::int64_t step) {
  const auto ranks = static_cast<float>(hosts.size());
  const auto count = static_cast<float>(*std::ranges::max_element(hosts) + 1);
  Gradients sum;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (hosts[rank] != host) continue;
    for (const auto& [name, values] : gradients_of(small_model(), static_cast<int>(rank), step)) {
      auto& all = sum[name];
      if (all.empty()) all.resize(values.size(), -0.0F);
      std::ranges::transform(all, values, all.begin(), std::plus<>());
    }
  }
  for (auto& [name, values] : sum) {
    for (float& value : values) value *= count / ranks;
  }
  return sum;
}

void expect_what_the_leaders_agree_on(const Hosts& hosts, bool shared_memory) {
  run(static_cast<int>(hosts.size()),
      [&](comm::Communicator& communicator) {
        const int own = host_of(hosts, communicator);
        const auto host = communicator.split(own, communicator.rank());
        const auto leaders = communicator.split(host->rank() == 0 ? 0 : 1, communicator.rank());
        for (const auto& [name, config] : all_families()) {
          const auto reducer = compress::make_node_reducer(config, 1, *host)(communicator);
          const auto flat = compress::make_reducer(config, 1)(*leaders);
          Random random{23, static_cast<std::uint64_t>(communicator.rank())};
          for (std::int64_t step = 0; step < 3; ++step) {
            const auto found = reduce_step_overlapping(
                *reducer, small_model(), gradients_of(small_model(), communicator.rank(), step),
                step, random);
            const auto hashes = comm::all_gather_values(communicator, std::vector{hash_of(found)});
            EXPECT_EQ(std::ranges::count(hashes, hashes.front()), std::ssize(hashes)) << name;
            if (host->rank() != 0) continue;
            const auto expected =
                reduce_step(*flat, small_model(), gradients_of_host(hosts, own, step), step, 1);
            EXPECT_EQ(found, expected) << name << ", step " << step;
          }
        }
      },
      {.shared_memory = shared_memory});
}

TEST(NodeReducer, GivesWhatTheLeadersAgreeOnToTheLastBit) {
  for (const Hosts& hosts : placements()) {
    for (const bool shared_memory : {true, false}) {
      expect_what_the_leaders_agree_on(hosts, shared_memory);
    }
  }
}

TEST(NodeReducer, HasLaterBucketsBetweenHostsBeforeTheFirstIsDone) {
  // Rank 2, alone on its host, comes late: both buckets of the others wait for it.
  const Hosts hosts{0, 0, 1};
  run(3, [&](comm::Communicator& communicator) {
    const auto host = communicator.split(host_of(hosts, communicator), communicator.rank());
    const auto reducer = compress::make_node_reducer(config_of("half", 16), 1, *host)(communicator);
    std::vector<float> first(4096, 1.0F);
    std::vector<float> second(4096, 2.0F);
    const compress::Bucket buckets[]{{{{"first", 0, {64, 64}, 4096}}, first},
                                     {{{"second", 0, {64, 64}, 4096}}, second}};
    reducer->begin_step(0);
    // Until both have gone out between hosts: the sums of the host, 4 bytes a value, and then a
    // chunk of each bucket, half of its values in 16 bits.
    const auto enough = reducer->own_bytes_sent() + 2 * (4 * 4096 + 4096);
    if (communicator.rank() == 2) communicator.barrier().wait();
    auto one = reducer->start(buckets[0], 0);
    auto two = reducer->start(buckets[1], 0);
    if (communicator.rank() == 0) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (reducer->own_bytes_sent() < enough && std::chrono::steady_clock::now() < deadline) {
        EXPECT_FALSE(one.advance());
        EXPECT_FALSE(two.advance());
      }
      EXPECT_GE(reducer->own_bytes_sent(), enough);
    }
    if (communicator.rank() < 2) {
      // Each moves its part of the sums on: the other cannot.
      for (auto all_out = communicator.barrier(); !all_out.test();) {
        static_cast<void>(one.advance());
        static_cast<void>(two.advance());
      }
    }
    one.wait();
    two.wait();
    reducer->end_step();
    EXPECT_EQ(first.back(), 1.0F);
    EXPECT_EQ(second.back(), 2.0F);
  });
}

TEST(NodeReducer, TakesTheMeanOfWhatRanksOweThatWereOnSeveralHosts) {
  run(4, [&](comm::Communicator& communicator) {
    const auto host = communicator.split(communicator.rank() / 2, communicator.rank());
    const auto config = config_of("top_k", 0.25);
    const auto flat = compress::make_reducer(config, 1)(communicator);
    (void)reduce_step(*flat, small_model(), gradients_of(small_model(), communicator.rank(), 0), 0);
    const auto own = flat->state();
    const auto reducer = compress::make_node_reducer(config, 1, *host)(communicator);
    reducer->load_state(own);
    const auto merged = reducer->state();
    for (const auto& [name, values] : own.arrays) {
      if (!name.starts_with("residual/")) continue;
      std::vector<double> wide(values.begin(), values.end());
      wide = comm::all_reduce_values(*host, std::move(wide));
      for (std::size_t i = 0; i < wide.size(); ++i) {
        ASSERT_NEAR(merged.arrays.at(name)[i], wide[i] / 2, 1e-6) << name << " " << i;
      }
    }
  });
}

TEST(NodeReducer, AveragesOverRanksWhateverTheirHosts) {
  for (const Hosts& hosts : placements()) {
    run(static_cast<int>(hosts.size()), [&](comm::Communicator& communicator) {
      const auto host = communicator.split(host_of(hosts, communicator), communicator.rank());
      const auto reducer =
          compress::make_node_reducer(config_of("none", 0.0), 1, *host)(communicator);
      const auto found = reduce_step(*reducer, small_model(),
                                     gradients_of(small_model(), communicator.rank(), 0), 0, 2);
      for (const auto& [name, mean] : mean_gradients(small_model(), communicator.size(), 0)) {
        for (std::size_t i = 0; i < mean.size(); ++i) {
          ASSERT_NEAR(found.at(name)[i], mean[i], 1e-5) << name << " " << i;
        }
      }
      // One rank of each host talks to the others.
      const bool leads = host->rank() == 0;
      const bool alone = *std::ranges::max_element(hosts) == 0;
      EXPECT_EQ(reducer->wire_bytes(small_model().front()) > 0.0, leads && !alone);
      EXPECT_EQ(reducer->traffic().sent_bytes, reducer->own_bytes_sent());
    });
  }
}

TEST(NodeReducer, ReplaysAPlanAndRefusesOneOfOtherLayersOnAllRanks) {
  const compress::PlannedLayer conv1{"conv1.weight", 432, compress::Level(4)};
  const compress::PlannedLayer conv2{"conv2.weight", 3456, compress::Level(2)};
  const compress::PlannedLayer fc{"fc.weight", 650, compress::Level::dense()};
  const auto refusals = [](std::vector<compress::PlannedLayer> layers) {
    compress::PlanRecord plan;
    plan.layers = std::move(layers);
    std::vector<std::string> all(4);
    run(4, [&](comm::Communicator& communicator) {
      const auto host = communicator.split(communicator.rank() / 2, communicator.rank());
      const auto reducer = compress::make_node_reducer(config_of("quantize", 4), 1, *host,
                                                       std::vector{plan})(communicator);
      try {
        (void)reduce_step(*reducer, small_model(),
                          gradients_of(small_model(), communicator.rank(), 0), 0);
      } catch (const ConfigError& error) {
        all[static_cast<std::size_t>(communicator.rank())] = error.what();
      }
    });
    return all;
  };
  EXPECT_EQ(refusals({conv1, conv2, fc}), std::vector<std::string>(4));
  EXPECT_EQ(refusals({conv1, conv2}),
            std::vector<std::string>(
                4, "the plan of step 0 cannot be replayed: it has no level for fc.weight"));
}

TEST(NodeReducer, ResumesToTheBit) {
  const Hosts hosts{0, 0, 1, 1};
  run(4, [&](comm::Communicator& communicator) {
    const auto host = communicator.split(host_of(hosts, communicator), communicator.rank());
    for (const auto& [name, config] : all_families()) {
      const auto gradients = [&](std::int64_t step) {
        return gradients_of(small_model(), communicator.rank(), step);
      };
      const auto straight = compress::make_node_reducer(config, 1, *host)(communicator);
      const auto first = compress::make_node_reducer(config, 1, *host)(communicator);
      const auto second = compress::make_node_reducer(config, 1, *host)(communicator);
      for (std::int64_t step = 0; step < 2; ++step) {
        (void)reduce_step(*straight, small_model(), gradients(step), step, 1);
        (void)reduce_step(*first, small_model(), gradients(step), step, 1);
      }
      const auto state = first->state();
      second->load_state(state);
      EXPECT_EQ(reduce_step(*second, small_model(), gradients(2), 2, 1),
                reduce_step(*straight, small_model(), gradients(2), 2, 1))
          << name;
      // All ranks of a host have its state, so that others may go on from it.
      std::vector<std::int64_t> sizes;
      for (const auto& [key, values] : state.arrays) sizes.push_back(std::ssize(values));
      const auto of_leader = comm::broadcast_values(*host, sizes, 0);
      EXPECT_EQ(sizes, of_leader) << name;
    }
  });
}

}  // namespace
}  // namespace convoy::tests
