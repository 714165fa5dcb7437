// SPDX-License-Identifier: Apache-2.0
// Who is named when ranks diverge or one stands still: on threads, on sockets and on MPI ranks.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/internal/history.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/log_of_comm.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using namespace std::chrono_literals;

// The errors of the ranks of this process, one a line.
template <typename Call>
std::string errors_of(int ranks, const Call& call, std::chrono::milliseconds timeout) {
  std::mutex mutex;
  std::string all;
  run_world(
      ranks,
      [&](Communicator& c) {
        c.barrier().wait();
        const auto text = comm_error([&] { call(c); });
        const std::lock_guard lock(mutex);
        all += text + "\n";
      },
      with(timeout, 4096));
  return all;
}

// MPI tells nobody of a rank that has failed; memory that ranks share does.
bool failures_travel() {
  return std::getenv("CONVOY_TEST_RANKS") == nullptr ||
         std::getenv("CONVOY_TEST_MESSAGES_ONLY") == nullptr;
}

TEST(LastCalls, AnotherCallIsAnErrorAtOnceThatNamesBoth) {
  for (const int ranks : world_sizes()) {
    if (ranks == 1 || !failures_travel()) continue;
    const auto start = std::chrono::steady_clock::now();
    const auto text = errors_of(
        ranks,
        [](Communicator& c) {
          std::vector<float> values(50'000);
          if (c.rank() == 1) return c.barrier().wait();
          c.all_reduce(std::span(values)).wait();
        },
        60s);
    EXPECT_EQ(text.find("no CommError"), std::string::npos) << text;
    expect_match(text,
                 "50000 float32 .sequence 2.*rank 1 calls barrier here, of 0 bytes .its sequence 2|"
                 "barrier rank 1.*sequence 2.*calls all_reduce here, of [0-9]+ bytes");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  }
}

TEST(LastCalls, AnotherContextIsAnErrorAtOnceThatNamesBoth) {
  for (const int ranks : world_sizes()) {
    if (ranks == 1 || !failures_travel()) continue;
    for (const std::size_t numel : {10, 50'000}) {
      const auto text = errors_of(
          ranks,
          [&](Communicator& c) {
            c.set_context(c.rank() == 1 ? 0xBEEF : 0xABBA);
            std::vector<float> values(numel);
            c.all_reduce(std::span(values)).wait();
          },
          60s);
      EXPECT_EQ(text.find("no CommError"), std::string::npos) << text;
      expect_match(text,
                   "context 0000abba.: .*rank 1 .*its context 0000beef where this rank has "
                   "0000abba|context 0000beef.: .*its context 0000abba where this rank has "
                   "0000beef");
    }
  }
}

TEST(LastCalls, EqualContextsTravelAndChangeNothing) {
  for (const int ranks : world_sizes()) {
    const auto text = errors_of(
        ranks,
        [](Communicator& c) {
          c.set_context(7);
          std::vector<float> values(50'000, 1.0F);
          c.all_reduce(std::span(values)).wait();
          EXPECT_EQ(values[49'999], static_cast<float>(c.size()));
          c.barrier().wait();
        },
        60s);
    expect_match(text, "^(no CommError\n)+$");
  }
}

TEST(LastCalls, OfARankThatWaitsInVainAreLoggedWithWhoIsAbsent) {
  for (const int ranks : world_sizes()) {
    if (ranks == 1 || !failures_travel()) continue;
    const LogOfComm log;
    bool waits = false;
    const auto errors = errors_of(
        ranks,
        [&](Communicator& c) {
          std::vector<float> values(50'000);
          if (c.rank() == ranks - 1) return std::this_thread::sleep_for(1s);
          if (c.rank() == 0) waits = true;
          c.all_reduce(std::span(values)).wait(300ms);
        },
        60s);
    if (!waits) continue;  // another process has the log
    expect_match(log.text(), "rank 0/" + std::to_string(ranks) +
                                 " has failed; its last calls: .*barrier .sequence 1. [01].. s "
                                 "ago, done; all_reduce of 50000 float32 .sequence 2. 0.. s ago, "
                                 "under way");
    expect_match(log.text(), "nothing heard of rank " + std::to_string(ranks - 1) +
                                 " in all_reduce of 50000 float32 .sequence 2.; last heard of in "
                                 "(barrier .sequence 1.|no call at all)");
  }
}

TEST(LastCalls, NameWhoIsAbsentThoughItHasComeToALaterPlace) {
  for (const int ranks : world_sizes()) {
    if (ranks == 1 || !failures_travel()) continue;
    const LogOfComm log;
    bool waits = false;
    const auto errors = errors_of(
        ranks,
        [&](Communicator& c) {
          std::vector<float> values(50'000);
          std::vector<std::int32_t> all(static_cast<std::size_t>(ranks));
          const std::int32_t own = c.rank();
          const auto sum = c.reserve(1, comm::PlaceFor::kAllReduce);
          const auto gather = c.reserve(1, comm::PlaceFor::kOther);
          const auto gather_all = [&] {
            c.all_gather(std::span(&own, 1), std::span(all), {.place = gather}).wait();
          };
          if (c.rank() == ranks - 1) {
            gather_all();
            return std::this_thread::sleep_for(1s);
          }
          if (c.rank() == 0) waits = true;
          auto waiting = c.all_reduce(std::span(values), comm::ReduceOp::kSum, {.place = sum});
          gather_all();
          waiting.wait(300ms);
        },
        60s);
    if (!waits) continue;  // another process has the log
    expect_match(log.text(), "nothing heard of rank " + std::to_string(ranks - 1) +
                                 " in all_reduce of 50000 float32 .sequence 2.; last heard of in "
                                 "all_gather of [0-9]+ int32 .sequence 3.");
  }
}

TEST(History, KeepsTheLastCallsAndSaysWhichAreOver) {
  comm::internal::History history;
  const auto now = comm::internal::History::Clock::now();
  const auto never = [](const comm::internal::Call&) { return false; };
  EXPECT_EQ(history.report(now, never), "none");
  for (std::uint64_t i = 1; i <= 10; ++i) {
    history.add({.kind = comm::internal::Kind::kBarrier, .sequence = i}, now - i * 1s);
  }
  const auto text =
      history.report(now, [](const comm::internal::Call& call) { return call.sequence == 10; });
  EXPECT_EQ(text.rfind("barrier (sequence 3) 3.0 s ago, done; barrier (sequence 4)", 0), 0U)
      << text;
  expect_match(text, "barrier .sequence 10. 10.0 s ago, under way$");
  EXPECT_EQ(history.collective(9), "barrier (sequence 9)");
  EXPECT_EQ(history.collective(1), "the call of sequence 1");
}

}  // namespace
}  // namespace convoy::tests
