// SPDX-License-Identifier: Apache-2.0
// How ranks find each other over TCP, and who is kept out.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/tcp/internal/address.h"
#include "comm/tcp/internal/mesh.h"
#include "comm/tcp/stream_rate.h"
#include "comm/tcp/tcp.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/tcp_ranks.h"
#include "tests/comm/values.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using namespace comm::tcp;
using namespace std::chrono_literals;

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

void expect_sums(Communicator& c, std::size_t numel) {
  auto sums = values_of<float>(c.rank(), numel);
  c.all_reduce(std::span(sums)).wait();
  EXPECT_EQ(first_difference(sums, expected_reduction<float>(c.size(), numel, 0, ReduceOp::kSum)),
            "");
}

TEST(TcpDescriptors, AreAllowedUpToTheHardLimit) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = entries("/proc/self/fd") + 20;
  ::setrlimit(RLIMIT_NOFILE, &low);
  comm::local::run(8, [](Communicator& b) { expect_sums(*make(b), 1000); });
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(TcpAddress, KnowsNetworks) {
  EXPECT_TRUE(in_same_network("10.1.2.3", "10.1.255.255", 16));
  EXPECT_FALSE(in_same_network("10.1.2.3", "10.2.2.3", 16));
  EXPECT_TRUE(in_same_network("10.1.2.3", "10.1.2.2", 31));
  EXPECT_FALSE(in_same_network("10.1.2.3", "10.1.2.1", 31));
  EXPECT_TRUE(in_same_network("10.1.2.3", "11.1.2.3", 0));
  EXPECT_TRUE(in_same_network("fd00:1::1", "fd00:1::2", 64));
  EXPECT_FALSE(in_same_network("fd00:1::1", "10.0.0.1", 0));
  EXPECT_EQ(to_string(make_endpoint("fd00::1", 80)), "[fd00::1]:80");
  EXPECT_EQ(to_string(make_endpoint("10.0.0.1", 8080)), "10.0.0.1:8080");
  EXPECT_EQ(parse_network("10.0.0.0/8").prefix_bits, 8);
  for (const char* wrong :
       {"10.0.0.0", "10.0.0.0/33", "10.0.0/8", "/8", "fd00::/129", "a/8", "1.2.3.4/x"}) {
    EXPECT_THROW(check_network(wrong), ConfigError) << wrong;
  }
  check_network("");
  check_network("fd00::/8");
}

TEST(TcpDescriptor, ClosesOnceHoweverOftenItMoves) {
  const int fd = ::open("/dev/null", O_RDONLY);
  const auto is_open = [fd] { return ::fcntl(fd, F_GETFD) >= 0; };
  {
    Descriptor first(fd);
    Descriptor second = std::move(first);
    Descriptor third(::open("/dev/null", O_RDONLY));
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that is the point
    EXPECT_EQ(third.get(), fd);
    EXPECT_LT(::fcntl(replaced, F_GETFD), 0);
    EXPECT_TRUE(is_open());
  }
  EXPECT_FALSE(is_open());
}

TEST(TcpOffer, SurvivesTheJourney) {
  const Offer offer{
      .secret = {1, 2, 3}, .port = 65535, .host = "alpha", .addresses = {"10.0.0.1", "fd00::1"}};
  const auto bytes = encode(offer);
  EXPECT_EQ(bytes.size(), kOfferBytes);
  const Offer same = decode_offer(bytes);
  EXPECT_EQ(same.secret, offer.secret);
  EXPECT_EQ(same.port, offer.port);
  EXPECT_EQ(same.host, offer.host);
  EXPECT_EQ(same.addresses, offer.addresses);
  EXPECT_THROW((void)decode_offer(std::vector<std::uint8_t>(kOfferBytes, 'x')), CommError);
}

TEST(TcpMesh, LeavesNoThreadsAndNoDescriptorsBehind) {
  comm::local::run(1, [](Communicator&) {});
  const std::size_t files = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  comm::local::run(3, [&](Communicator& bootstrap) {
    const auto c = make(bootstrap);
    const auto part = c->split(c->rank() % 2, 0);
    part->barrier().wait();
    bootstrap.barrier().wait();
    // Three ranks, and nobody works for them.
    EXPECT_LE(entries("/proc/self/task"), threads + 3);
    c->barrier().wait();
  });
  EXPECT_EQ(entries("/proc/self/fd"), files);
}

TEST(TcpMesh, DropsStrangers) {
  TcpRanks ranks(3);
  const Offer& open = ranks.offers()[0];
  RawPeer silent(open);
  RawPeer garbage(open);
  garbage.send(std::array<char, 100>{"GET / HTTP/1.1\r\n\r\n"});
  RawPeer short_lived(open);
  short_lived.close();
  RawPeer guesses(open);
  guesses.send(Greeting{.secret = {1, 2, 3}, .from = 1, .to = 0});
  RawPeer knows_too_little(open);  // the secret of another rank
  knows_too_little.send(Greeting{.secret = ranks.offers()[1].secret, .from = 1, .to = 0});
  RawPeer no_such_rank(open);
  no_such_rank.send(Greeting{.secret = open.secret, .from = 3, .to = 0});
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < 3; ++r) {
      threads.emplace_back([&, r] { expect_sums(*ranks.connect(r), 50'000); });
    }
  }
  for (RawPeer* stranger : {&silent, &garbage, &guesses, &knows_too_little, &no_such_rank}) {
    EXPECT_TRUE(stranger->is_dropped());
  }
}

TEST(TcpMesh, DoesNotTakeAnImpostorForARank) {
  TcpRanks ranks(2);
  TcpRanks others(2);
  // Rank 1 is sent to somebody who listens there and is not rank 0.
  std::vector<Offer> misled = ranks.offers();
  misled[0].port = others.offers()[0].port;
  misled[0].addresses.clear();
  const Listener own = listen("");
  misled[1] = own.offer;
  std::jthread impostor([&] { (void)comm_error([&] { (void)others.transport(0, 1s); }); });
  const auto text = comm_error([&] { (void)connect_all(1, misled, own, 15s); });
  expect_match(text, "cannot connect to rank 0 on .*127.0.0.1:[0-9]+: somebody else answers$");
}

TEST(TcpStreamRate, IsThatOfTheSlowestRankOnAllRanks) {
  std::atomic<double> seen{0.0};
  comm::local::run(3, [&](Communicator& c) {
    const double rate = measure_stream_rate(c, 100ms);
    EXPECT_GT(rate, 1e6);  // bytes a second, over loopback
    double none = 0.0;
    const bool is_first = seen.compare_exchange_strong(none, rate);
    EXPECT_TRUE(is_first || rate == seen);
  });
}

TEST(TcpMesh, NamesARankThatDoesNotCome) {
  TcpRanks ranks(3);
  std::jthread one([&] {
    expect_match(comm_error([&] { (void)ranks.transport(1, 300ms); }),
                 "no connection with rank [02] on .* within 0.3 s");
  });
  expect_match(comm_error([&] { (void)ranks.transport(0, 300ms); }),
               "no connection with rank [12] on .* within 0.3 s");
}

TEST(TcpMesh, RefusesAHostOutsideTheNetwork) {
  comm::local::run(2, [](Communicator& c) {
    expect_match(comm_error([&] { (void)make(c, {.network = "203.0.113.0/24"}); }),
                 "host .* has no address in 203.0.113.0/24");
  });
}

TEST(TcpMesh, UsesTheNetworkThatItIsGiven) {
  const auto own = host_addresses();
  // Loopback is never taken for a network between hosts, so there is none to name.
  if (own.empty()) GTEST_SKIP() << "this host has only a loopback interface";
  comm::local::run(2, [&](Communicator& c) {
    const std::string network = own[0].text + "/" + std::to_string(own[0].prefix_bits);
    expect_sums(*make(c, {.network = network}), 1000);
  });
}

}  // namespace
}  // namespace convoy::tests
