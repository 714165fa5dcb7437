// SPDX-License-Identifier: Apache-2.0
// The launcher that the other tests rely on: it must see what would go wrong on a GPU.
#include "tests/compress/cuda/host_runner.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace convoy::compress::cuda {
namespace {

/// Writes one element beyond what the blocks share.
struct WritesTooFar {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;
  DeviceSpan<int> out;
  void operator()(Phase<0>, ThreadAt at, Shared&) const { out[at.index() + 1] = 1; }
};

TEST(HostRunner, SeesAccessesOutOfBounds) {
  HostRunner runner;
  std::vector<int> memory(64);
  EXPECT_THROW(runner.launch(WritesTooFar{{memory.data(), 64}}, 2, 32), std::out_of_range);
  EXPECT_NO_THROW(runner.launch(WritesTooFar{{memory.data(), 64}}, 2, 31));
}

TEST(DeviceSpan, ChecksItsParts) {
  std::vector<int> memory(8);
  const DeviceSpan<int> span(memory.data(), 8);
  EXPECT_EQ(span.part(3, 5).size(), 5);
  EXPECT_EQ(span.part(8, 0).size(), 0);
  EXPECT_THROW((void)span.part(4, 5), std::out_of_range);
  EXPECT_THROW((void)span.part(-1, 2), std::out_of_range);
  EXPECT_THROW((void)span.part(9, 0), std::out_of_range);
}

/// Every thread reads its neighbour's cell in the phase in which it is written.
struct Races {
  static constexpr int kPhases = 1;
  struct Shared {
    int cell[32];
  };
  DeviceSpan<int> out;
  void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    shared.cell[at.thread] = at.thread;
    out[at.thread] = shared.cell[(at.thread + 1) % at.threads];
  }
};

/// The same in two phases.
struct Waits {
  static constexpr int kPhases = 2;
  using Shared = Races::Shared;
  DeviceSpan<int> out;
  void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    shared.cell[at.thread] = at.thread;
  }
  void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    out[at.thread] = shared.cell[(at.thread + 1) % at.threads];
  }
};

/// Each thread takes its neighbour's cell, as often as there are threads; Shared says when.
struct TurnsRound {
  static constexpr int kPhases = 3;
  static constexpr int kRepeatFrom = 1;
  struct Shared {
    int cell[2][32];
    int rounds;
  };
  DeviceSpan<int> out;
  void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    shared.cell[0][at.thread] = at.thread;
    if (at.thread == 0) shared.rounds = 0;
  }
  void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    shared.cell[1][at.thread] = shared.cell[0][(at.thread + 1) % at.threads];
  }
  void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    out[at.thread] = shared.cell[0][at.thread] = shared.cell[1][at.thread];
    if (at.thread == 0) ++shared.rounds;
  }
  [[nodiscard]] bool done(const Shared& shared) const { return shared.rounds == 5; }
};

template <typename Kernel>
std::vector<int> result(Order order) {
  HostRunner runner(order);
  std::vector<int> memory(32);
  runner.launch(Kernel{{memory.data(), 32}}, 1, 32);
  return memory;
}

TEST(HostRunner, MakesRacesVisible) {
  EXPECT_NE(result<Races>(Order::kForward), result<Races>(Order::kBackward));
  EXPECT_NE(result<Races>(Order::kForward), result<Races>(Order::kShuffled));
  EXPECT_EQ(result<Waits>(Order::kForward), result<Waits>(Order::kBackward));
  EXPECT_EQ(result<Waits>(Order::kForward), result<Waits>(Order::kShuffled));
}

TEST(HostRunner, RepeatsPhasesUntilTheKernelIsDone) {
  for (const Order order : {Order::kForward, Order::kBackward, Order::kShuffled}) {
    const auto turned = result<TurnsRound>(order);
    for (int thread = 0; thread < 32; ++thread) {
      EXPECT_EQ(turned[static_cast<std::size_t>(thread)], (thread + 5) % 32);
    }
  }
}

}  // namespace
}  // namespace convoy::compress::cuda
