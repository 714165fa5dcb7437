// SPDX-License-Identifier: Apache-2.0
// What is said and done when a rank is late, fails, or disagrees.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/faulty_transport.h"
#include "tests/comm/values.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using namespace std::chrono_literals;

// Rank 2 of 4 stays away until all others have failed.
void with_rank_two_absent(const std::function<void(Communicator&)>& body) {
  std::atomic<int> failed{0};
  comm::local::run(4, [&](Communicator& c) {
    c.barrier().wait();
    if (c.rank() != 2) {
      body(c);
      ++failed;
    }
    while (failed < 3) std::this_thread::sleep_for(1ms);
  });
}

TEST(Timeout, NamesOperationRankPeerAndSizes) {
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(4096);
    auto request = c.all_reduce(std::span(values));
    const auto text = comm_error([&] { request.wait(c.rank() == 0 ? 150ms : 60s); });
    if (c.rank() == 0) {
      EXPECT_EQ(text,
                "all_reduce rank 0/4, 4096 float32 (sequence 2): no data from rank 2 within 0.1 s "
                "(received 0 of 16384 bytes)");
    } else {
      expect_match(text,
                   "all_reduce rank ./4.*rank 0 has left the communicator .all_reduce rank "
                   "0/4.*no data from rank 2");
    }
  });
}

// The second sum has not begun: the rank that stops the first one stops it too.
TEST(Timeout, OfASumBehindAnotherNamesTheRankThatStandsStill) {
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(std::size_t{1} << 19);  // more than fits into the slots
    std::vector<float> few(100);
    auto first = c.all_reduce(std::span(values));
    auto second = c.all_reduce(std::span(few));
    const auto text = comm_error([&] { second.wait(c.rank() == 0 ? 150ms : 60s); });
    if (c.rank() == 0) {
      expect_match(text, "100 float32 .sequence 3.: no data from rank 2 within 0.1 s");
    }
    expect_match(comm_error([&] { first.wait(); }), "rank 2");
  });
}

TEST(Timeout, OfEveryOperationNamesThePeer) {
  using Values = std::vector<float>;
  using Start = std::function<comm::Request(Communicator&, Values&, Values&)>;
  const std::vector<std::pair<std::string, Start>> starts{
      {"all_reduce", [](auto& c, auto& v, auto&) { return c.all_reduce(std::span(v)); }},
      {"reduce_scatter",
       [](auto& c, auto& v, auto& w) {
         return c.reduce_scatter(std::span(v), std::span(w).first(w.size() / 4));
       }},
      {"all_gather",
       [](auto& c, auto& v, auto& w) {
         return c.all_gather(std::span(v).first(v.size() / 4), std::span(w));
       }},
      {"all_to_all",
       [](auto& c, auto& v, auto& w) { return c.all_to_all(std::span(v), std::span(w)); }},
      {"broadcast", [](auto& c, auto& v, auto&) { return c.broadcast(std::span(v), 2); }},
      {"recv", [](auto& c, auto& v, auto&) { return c.recv(std::span(v), 2); }},
      {"barrier", [](auto& c, auto&, auto&) { return c.barrier(); }},
  };
  for (const auto& [name, start] : starts) {
    with_rank_two_absent([&](Communicator& c) {
      Values values(1 << 16);
      Values others(1 << 16);
      auto request = start(c, values, others);
      const auto text = comm_error([&] { request.wait(50ms); });
      expect_match(text, name + " rank ./4, [0-9]+ [a-z0-9]+.*: ");
      expect_match(text, "rank [0-3] (within|has left)|from rank [0-3] within");
      EXPECT_TRUE(c.poisoned());
    });
  }
}

TEST(Timeout, OfASendThatNobodyTakes) {
  with_rank_two_absent([](Communicator& c) {
    const std::vector<float> values(10'000);
    auto request = c.send(std::span(values), 2);
    expect_match(comm_error([&] { request.wait(50ms); }),
                 "send rank ./4, 10000 float32: rank 2 has not taken its data within 0.1 s "
                 "\\(sent 0 of 40000 bytes\\)");
  });
}

TEST(Poisoned, EveryLaterAndEveryOtherCallThrows) {
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(4096);
    std::vector<float> others(4096);
    auto request = c.all_reduce(std::span(values));
    auto other = c.all_reduce(std::span(others));
    EXPECT_FALSE(c.poisoned());
    EXPECT_NE(comm_error([&] { request.wait(50ms); }), "no CommError");
    EXPECT_TRUE(c.poisoned());
    expect_match(comm_error([&] { other.wait(); }), "sequence 3.: .*(poisoned|has left)");
    expect_match(comm_error([&] { static_cast<void>(other.test()); }), "no CommError");
    expect_match(comm_error([&] { c.barrier().wait(); }), "barrier rank .*poisoned: all_reduce");
    expect_match(comm_error([&] { static_cast<void>(c.duplicate()); }), "poisoned");
  });
}

// Nothing of rank 2 is under way when it gives up; the others wait for what it has not come to.
TEST(GivingUp, EndsAtOnceWhatOthersWaitFor) {
  for (const bool shared_memory : {true, false}) {
    std::atomic<int> failed{0};
    comm::local::run(
        3,
        [&](Communicator& c) {
          c.barrier().wait();
          std::vector<float> values(4096);
          if (c.rank() == 2) c.give_up("out of paper");
          const auto text = comm_error([&] { c.all_reduce(std::span(values)).wait(60s); });
          expect_match(text, "out of paper");
          EXPECT_TRUE(c.poisoned());
          ++failed;
          const auto deadline = std::chrono::steady_clock::now() + 20s;
          while (failed < 3 && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(1ms);
          }
          EXPECT_EQ(failed, 3) << "rank " << c.rank() << " goes before the others know";
        },
        {.shared_memory = shared_memory});
  }
}

TEST(GivingUp, KeepsTheFirstReason) {
  comm::local::run(1, [](Communicator& c) {
    c.give_up("first");
    c.give_up("second");
    int value = 1;
    expect_match(comm_error([&] { c.all_reduce(std::span(&value, 1)).wait(); }), "first");
  });
}

TEST(Destructor, OfAPendingRequestTimesOutAndPoisons) {
  std::atomic<bool> over{false};
  comm::local::run(
      2,
      [&](Communicator& c) {
        while (c.rank() == 1 && !over) std::this_thread::sleep_for(1ms);
        if (c.rank() == 1) return;
        std::vector<float> values(100);
        { auto forgotten = c.recv(std::span(values), 1); }
        EXPECT_TRUE(c.poisoned());
        expect_match(comm_error([&] { c.barrier().wait(); }), "no data from rank 1 within 0.1 s");
        over = true;
      },
      with(50ms));
}

// Rank 0 leaves with an exception while its sum is under way; rank 1 never adds to it.
std::chrono::duration<double> time_to_leave(const std::shared_ptr<void>& owner,
                                            std::span<float> values) {
  std::chrono::duration<double> taken{};
  const std::vector<Faults> faults(2, Faults{.keeps_writing = true});
  const auto body = [&](Communicator& c) {
    if (c.rank() == 1) {
      float own = 0;
      (void)comm_error([&] { c.recv(std::span(&own, 1), 0).wait(); });
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    try {
      const auto request = c.all_reduce(comm::Buffer(values, owner));
      throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error&) {
      taken = std::chrono::steady_clock::now() - start;
    }
    EXPECT_TRUE(c.poisoned());
  };
  run_faulty(faults, body, with(1s));
  return taken;
}

TEST(Destructor, DuringAnExceptionWaitsOnlyForBorrowedMemory) {
  static std::vector<float> borrowed(100'000);  // the transport might write later
  const auto owned = std::make_shared<std::vector<float>>(borrowed.size());
  EXPECT_LT(time_to_leave(owned, *owned), 500ms);
  // Rank 1 gives up after 1 s too, and may have begun to wait a moment earlier.
  EXPECT_GE(time_to_leave(nullptr, borrowed), 900ms);
}

// A split must not count as borrowing: another thread's failed call would wait for it.
TEST(Destructor, DuringAnExceptionDoesNotWaitForASplit) {
  std::chrono::duration<double> taken{};
  const std::vector<Faults> faults(2, Faults{.keeps_writing = true});
  const auto body = [&](Communicator& c) {
    if (c.rank() == 1) {
      float own = 0;
      (void)comm_error([&] { c.recv(std::span(&own, 1), 0).wait(); });
      return;
    }
    const std::jthread splitting([&] { (void)comm_error([&] { (void)c.duplicate(); }); });
    while (c.bytes_sent() == 0) std::this_thread::yield();
    const auto owned = std::make_shared<std::vector<float>>(100'000);
    const auto start = std::chrono::steady_clock::now();
    try {
      const auto request = c.all_reduce(comm::Buffer(std::span(*owned), owned));
      throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error&) {
      taken = std::chrono::steady_clock::now() - start;
    }
  };
  run_faulty(faults, body, with(1s));
  EXPECT_LT(taken, 500ms);
}

TEST(Injected, FailureOfAnyCallReachesAllRanks) {
  for (const int call : {1, 2, 3, 5, 8, 13, 21}) {
    std::vector<Faults> faults(3);
    faults[1].fail_at_call = call;
    run_faulty(
        faults,
        [](Communicator& c) {
          auto values = values_of<float>(c.rank(), 30'000);
          const auto text = comm_error([&] { c.all_reduce(std::span(values)).wait(); });
          expect_match(text, c.rank() == 1
                                 ? "^all_reduce rank 1/3, 30000 float32 .*: injected failure$"
                                 : "^all_reduce rank ./3, 30000 .*rank [0-2] has left.*injected");
          EXPECT_TRUE(c.poisoned());
        },
        with(60s, 4096));
  }
}

TEST(Injected, DelaysChangeNoBit) {
  std::vector<Faults> faults(4);
  for (std::size_t r = 0; r < faults.size(); ++r) {
    faults[r].longest_delay = std::chrono::microseconds(200 * (r % 3));
    faults[r].seed = r + 1;
  }
  run_faulty(
      faults,
      [](Communicator& c) {
        std::vector<std::vector<float>> values;
        std::vector<comm::Request> requests;
        for (std::uint64_t k = 0; k < 5; ++k)
          values.push_back(values_of<float>(c.rank(), 20'000, k));
        for (auto& v : values) requests.push_back(c.all_reduce(std::span(v)));
        const auto part = c.duplicate();
        auto copy = values_of<std::int64_t>(c.rank(), 20'000);
        part->broadcast(std::span(copy), 3).wait();
        EXPECT_EQ(first_difference(copy, values_of<std::int64_t>(3, 20'000)), "");
        for (std::size_t k = 5; k-- > 0;) {
          requests[k].wait();
          EXPECT_EQ(
              first_difference(values[k], expected_reduction<float>(4, 20'000, k, ReduceOp::kSum)),
              "");
        }
      },
      with(60s, 4096));
}

// As MPI's counts end at 2^31 - 1, with a limit that a test can reach.
TEST(LongMessages, AreSplitAtTheTransportsLimit) {
  std::vector<Faults> faults(2);
  for (auto& fault : faults) fault.max_message_bytes = 1000;
  run_faulty(faults, [](Communicator& c) {
    const int peer = 1 - c.rank();
    const auto& first = values_of<double>(c.rank(), 10'001, 1);
    const auto& second = values_of<double>(c.rank(), 333, 2);
    std::vector<double> in_first(first.size());
    std::vector<double> in_second(second.size());
    // The same tag: their parts must not mix.
    auto a = c.send(std::span(first), peer);
    auto b = c.send(std::span(second), peer);
    auto x = c.recv(std::span(in_first), peer);
    auto y = c.recv(std::span(in_second), peer);
    for (auto* request : {&y, &b, &x, &a}) request->wait();
    EXPECT_EQ(first_difference(in_first, values_of<double>(peer, 10'001, 1)), "");
    EXPECT_EQ(first_difference(in_second, values_of<double>(peer, 333, 2)), "");
    auto sums = values_of<float>(c.rank(), 50'000);
    c.all_reduce(std::span(sums)).wait();
    EXPECT_EQ(first_difference(sums, expected_reduction<float>(2, 50'000, 0, ReduceOp::kSum)), "");
  });
}

}  // namespace
}  // namespace convoy::tests
