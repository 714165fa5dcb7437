// SPDX-License-Identifier: Apache-2.0
// What becomes of ranks whose peers die, leave, break off or send nonsense.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "comm/internal/transport_communicator.h"
#include "comm/local/local.h"
#include "comm/tcp/tcp.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/faulty_transport.h"
#include "tests/comm/tcp_ranks.h"
#include "tests/comm/values.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using comm::tcp::FrameHeader;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Kind = FrameHeader::Kind;

// Far longer than any of these tests may take: failures must come at once.
comm::CommunicatorOptions patient() { return with(100s); }

void run_tcp(int ranks, const std::function<void(Communicator&)>& body,
             const comm::CommunicatorOptions& options = patient()) {
  comm::local::run(
      ranks, [&](Communicator& b) { body(*comm::tcp::make(b)); }, options);
}

// Sums until it is killed.
[[noreturn]] void be_rank(TcpRanks& ranks, int rank) {
  const auto c = ranks.connect(rank, patient());
  std::vector<float> values(300'000);
  try {
    for (;;) c->all_reduce(std::span(values)).wait();
  } catch (const CommError&) {
    std::_Exit(7);
  }
}

// 16 MB are more than the sockets hold: rank 0 gives up in the middle of a message.
TEST(TcpLeave, TellsWhyInTheMiddleOfALongMessage) {
  run_tcp(2, [](Communicator& c) {
    std::vector<float> values(4 << 20);
    if (c.rank() == 0) {
      auto request = c.send(std::span(values), 1);
      (void)comm_error([&] { request.wait(100ms); });
      return;
    }
    auto request = c.recv(std::span(values), 0);
    // Asks for the first messages and takes at most a part of them.
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(request.test());
      std::this_thread::sleep_for(5ms);
    }
    std::this_thread::sleep_for(150ms);
    expect_match(comm_error([&] { request.wait(); }),
                 "^recv rank 1/2, .*rank 0 has left the communicator .send rank 0/2, .*rank 1 has "
                 "not taken its data within 0.1 s");
  });
}

TEST(TcpKilled, RankIsNamedAtOnce) {
  TcpRanks ranks(3);
  std::array<pid_t, 2> children{};
  for (int r = 1; r <= 2; ++r) {
    children[static_cast<std::size_t>(r - 1)] = ::fork();
    if (children[static_cast<std::size_t>(r - 1)] == 0) be_rank(ranks, r);
  }
  const auto c = ranks.connect(0, patient());
  std::vector<float> values(300'000);
  for (int i = 0; i < 3; ++i) c->all_reduce(std::span(values)).wait();
  ::kill(children[1], SIGKILL);
  const auto start = Clock::now();
  const auto text = comm_error([&] {
    for (;;) c->all_reduce(std::span(values)).wait();
  });
  EXPECT_LT(Clock::now() - start, 5s);
  // Or rank 1 was first to notice and says so.
  expect_match(text,
               "^all_reduce rank 0/3, 300000 float32 .*: .*(rank 2 has closed the connection|"
               "the connection with rank 2 has failed|rank 1 has (left|closed))");
  EXPECT_TRUE(c->poisoned());
  int status = 0;
  ::waitpid(children[0], &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  ::waitpid(children[1], &status, 0);
}

TEST(TcpLeft, RankIsNamedWithItsReason) {
  std::atomic<int> named{0};
  run_tcp(3, [&](Communicator& c) {
    std::vector<float> values(1000);
    const auto wait = [&] { c.recv(std::span(values), 2).wait(); };
    if (c.rank() == 2) {
      expect_match(comm_error([&] { c.recv(std::span(values), 0).wait(100ms); }),
                   "no data from rank 0 within 0.1 s");
      return;
    }
    const auto text = comm_error(wait);
    expect_match(text,
                 "^recv rank ./3, 1000 float32: rank 2 has left the communicator "
                 ".recv rank 2/3, 1000 float32: no data from rank 0");
    ++named;
  });
  EXPECT_EQ(named, 2);
}

TEST(TcpLeft, WhatASmallSendLeftBehindIsStillReceived) {
  run_tcp(2, [](Communicator& c) {
    std::vector<int> values{1, 2, 3};
    if (c.rank() == 1) return c.send(std::span(values), 0).wait();
    std::this_thread::sleep_for(50ms);  // rank 1 has gone by then
    std::vector<int> got(3);
    c.recv(std::span(got), 1).wait();
    EXPECT_EQ(got, values);
    expect_match(comm_error([&] { c.recv(std::span(got), 1).wait(); }),
                 "recv rank 0/2, 3 int32: rank 1 has left the communicator$");
  });
}

TEST(TcpPatience, TimesOutWhereAPeerIsSilent) {
  std::atomic<bool> over{false};
  run_tcp(2, [&](Communicator& c) {
    while (c.rank() == 1 && !over) std::this_thread::sleep_for(1ms);
    if (c.rank() == 1) return;
    std::vector<float> values(1000);
    const auto start = Clock::now();
    auto request = c.recv(std::span(values), 1);
    expect_match(comm_error([&] { request.wait(200ms); }), "no data from rank 1 within 0.2 s");
    EXPECT_GE(Clock::now() - start, 200ms);
    EXPECT_LT(Clock::now() - start, 5s);
    over = true;
  });
}

// A long message is sent only when somebody has asked for it: until then it blocks nothing.
TEST(TcpFlow, LongMessagesThatNobodyTakesBlockNoOthers) {
  run_tcp(2, [](Communicator& c) {
    const int peer = 1 - c.rank();
    const std::vector<double> out(3'000'000, c.rank());
    std::vector<double> in(out.size());
    auto sending = c.send(std::span(out), peer, 1);
    c.barrier().wait();
    int small = c.rank();
    c.send(std::span<const int>(&small, 1), peer, 2).wait();
    c.recv(std::span(&small, 1), peer, 2).wait();
    EXPECT_EQ(small, peer);
    c.recv(std::span(in), peer, 1).wait();
    sending.wait();
    EXPECT_EQ(in, std::vector<double>(out.size(), peer));
  });
}

TEST(TcpFlow, BigSumsAreRight) {
  run_tcp(3, [](Communicator& c) {
    std::vector<std::int64_t> values(8'000'000);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::int64_t>(i) * (c.rank() + 1);
    }
    c.all_reduce(std::span(values)).wait();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      wrong += values[i] != static_cast<std::int64_t>(i) * 6;
    EXPECT_EQ(wrong, 0U);
  });
}

TEST(TcpDelays, ChangeNoBit) {
  TcpRanks ranks(4);
  std::vector<std::jthread> threads;
  for (int r = 0; r < 4; ++r) {
    threads.emplace_back([&, r] {
      const Faults faults{.longest_delay = std::chrono::microseconds(200 * (r % 3)),
                          .seed = static_cast<std::uint64_t>(r) + 1};
      comm::internal::TransportCommunicator c(make_faulty(ranks.transport(r), faults),
                                              with(60s, 20'000));
      std::vector<std::vector<float>> values;
      std::vector<comm::Request> requests;
      for (std::uint64_t k = 0; k < 5; ++k) values.push_back(values_of<float>(r, 60'000, k));
      for (auto& v : values) requests.push_back(c.all_reduce(std::span(v)));
      const auto part = c.duplicate();
      auto copy = values_of<std::int64_t>(r, 60'000);
      part->broadcast(std::span(copy), 3).wait();
      EXPECT_EQ(first_difference(copy, values_of<std::int64_t>(3, 60'000)), "");
      for (std::size_t k = 5; k-- > 0;) {
        requests[k].wait();
        EXPECT_EQ(
            first_difference(values[k], expected_reduction<float>(4, 60'000, k, ReduceOp::kSum)),
            "");
      }
      c.barrier().wait();
    });
  }
}

/// What rank 0 says when rank 1, played by the test, does `act` while rank 0 waits for data of it.
template <typename Act>
std::string error_after(Act act) {
  TcpRanks ranks(2);
  RawPeer peer(ranks.offers()[0]);
  std::string text;
  std::jthread rank_zero([&] {
    const auto c = ranks.connect(0, patient());
    std::vector<float> values(100'000);
    text = comm_error([&] { c->recv(std::span(values), 1).wait(); });
  });
  peer.become(1, 0, ranks.offers());
  act(peer);
  rank_zero.join();
  return text;
}

TEST(TcpBroken, ResetIsNamed) {
  expect_match(error_after([](RawPeer& peer) { peer.reset(); }),
               "recv rank 0/2, 100000 float32: the connection with rank 1 has failed: .*reset");
}

TEST(TcpBroken, EndInsideAMessageIsNamed) {
  const auto text = error_after([](RawPeer& peer) {
    peer.send(FrameHeader{.bytes = 1000});
    peer.send(std::array<char, 400>{});
    peer.close();
  });
  expect_match(text, "rank 1 has closed the connection in the middle of a message");
}

TEST(TcpBroken, NonsenseIsRefused) {
  const std::vector<std::pair<FrameHeader, const char*>> cases{
      {{.magic = 0x12345678, .bytes = 4}, "something that is no message"},
      {{.kind = static_cast<Kind>(9)}, "something that is no message"},
      {{.channel = 2}, "something that is no message"},
      {{.tag = 40'000}, "something that is no message"},
      {{.bytes = SIZE_MAX}, "something that is no message"},
      {{.kind = Kind::kGrant, .bytes = 1}, "something that is no message"},
      {{.kind = Kind::kLeave, .bytes = 1 << 20}, "something that is no message"},
      {{.bytes = 1 << 20}, "1048576 bytes that nobody asked for"},
  };
  for (const auto& [header, expected] : cases) {
    const auto text = error_after([&, &frame = header](RawPeer& peer) { peer.send(frame); });
    expect_match(text, std::string("^recv rank 0/2.*rank 1 has sent ") + expected);
  }
}

TEST(TcpBroken, FloodsAreRefused) {
  const auto messages = error_after([](RawPeer& peer) {
    const std::vector<std::byte> payload(comm::tcp::kShortBytes);
    for (std::size_t sent = 0; sent <= comm::tcp::kMaxEarlyBytes; sent += payload.size()) {
      peer.send(FrameHeader{.tag = 77, .bytes = payload.size()});
      peer.send_bytes(payload);
    }
  });
  expect_match(messages, "rank 1 has sent [0-9]+ bytes that nobody asked for");
  const auto empty_ones = error_after([](RawPeer& peer) {
    const std::vector<FrameHeader> some(10'000, FrameHeader{.tag = 77});
    const std::size_t each = sizeof(std::vector<std::byte>);  // what keeping one takes at least
    for (std::size_t kept = 0; kept <= comm::tcp::kMaxEarlyBytes; kept += some.size() * each) {
      peer.send_bytes(std::as_bytes(std::span(some)));
    }
  });
  expect_match(empty_ones, "rank 1 has sent [0-9]+ bytes that nobody asked for");
  const auto grants = error_after([](RawPeer& peer) {
    const std::vector<FrameHeader> many(5000, FrameHeader{.kind = Kind::kGrant});
    peer.send_bytes(std::as_bytes(std::span(many)));
  });
  expect_match(grants, "rank 1 asks for messages without end");
}

}  // namespace
}  // namespace convoy::tests
