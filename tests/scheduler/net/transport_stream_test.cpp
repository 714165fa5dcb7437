// SPDX-License-Identifier: Apache-2.0
// Large streams, many threads, ends in the middle of traffic, and nothing left behind.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "tests/scheduler/net/log_capture.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

using Bytes = std::vector<std::byte>;
using net::Chunk;
using net::kMaxChunkBytes;

std::byte byte_at(std::size_t place) { return static_cast<std::byte>(place * 2654435761U >> 13); }

/// Sends `total` bytes, a chunk whenever there is room.
class Source : public Recorder {
 public:
  explicit Source(std::size_t total) : total_(total) {}
  void begin(std::shared_ptr<net::Connection> connection) {
    connection_ = std::move(connection);
    connection_->post([this] {
      (void)connection_->send(hello());
      pour();
    });
  }
  void on_drained() override {
    Recorder::on_drained();
    pour();
  }
  void on_closed(const std::string& why) override {
    connection_.reset();
    Recorder::on_closed(why);
  }
  [[nodiscard]] std::size_t most_queued() const { return most_queued_; }

 private:
  void pour() {
    while (sent_ < total_ && connection_->queued_bytes() < 2 * kMaxChunkBytes) {
      Bytes bytes(std::min(kMaxChunkBytes, total_ - sent_));
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(sent_ + i);
      connection_->send_chunk(
          {.stream = 1, .offset = static_cast<std::int64_t>(sent_), .bytes = bytes});
      sent_ += bytes.size();
      most_queued_ = std::max(most_queued_.load(), connection_->queued_bytes());
    }
  }

  std::size_t total_;
  std::size_t sent_ = 0;
  std::atomic<std::size_t> most_queued_ = 0;
  std::shared_ptr<net::Connection> connection_;
};

/// For a hub that echoes chunks: it holds nobody up.
void as_much_as_comes(net::ListenerOptions& options) {
  options.limits.queued_bytes = std::size_t{1} << 40;
}

/// Counts what is not as byte_at() says.
Hub::Prepare checks(std::atomic<std::size_t>& wrong) {
  return [&wrong](Recorder& user, const auto&) {
    user.chunk_hook = [&wrong, next = std::size_t{0}](const Chunk& chunk) mutable {
      if (chunk.offset != static_cast<std::int64_t>(next)) ++wrong;
      for (const auto byte : chunk.bytes) wrong += byte != byte_at(next++) ? 1 : 0;
    };
  };
}

TEST(TransportStream, BringsEveryByte) {
  constexpr std::size_t kTotal = 60 * kMaxChunkBytes + 12345;
  std::atomic<std::size_t> wrong = 0;
  Hub hub({}, checks(wrong));
  net::Dialer dialer(dialer_options(hub.port()));
  const auto source = std::make_shared<Source>(kTotal);
  source->begin(dialer.dial(source));
  ASSERT_TRUE(hub.user(0)->wait_for_bytes(kTotal));
  EXPECT_EQ(wrong, 0U);
  EXPECT_LE(source->most_queued(), 4 * kMaxChunkBytes);
  EXPECT_GT(source->drained(), 1U);
}

TEST(TransportStream, GoesBothWaysAtOnce) {
  constexpr std::size_t kTotal = 20 * kMaxChunkBytes;
  Hub hub(as_much_as_comes, Hub::echo());
  net::Dialer dialer(dialer_options(hub.port()));
  const auto source = std::make_shared<Source>(kTotal);
  std::atomic<std::size_t> wrong = 0;
  checks(wrong)(*source, nullptr);
  source->begin(dialer.dial(source));
  ASSERT_TRUE(source->wait_for_bytes(kTotal));
  EXPECT_EQ(wrong, 0U);
}

/// The sender is held up by TCP when who receives takes its time.
TEST(TransportStream, ASlowUserHoldsTheSenderUp) {
  std::atomic<bool> may_go_on = false;
  Hub hub({}, [&](Recorder& user, const auto&) {
    user.chunk_hook = [&](const Chunk&) { (void)eventually([&] { return may_go_on.load(); }); };
  });
  constexpr std::size_t kTotal = 40 * kMaxChunkBytes;
  net::Dialer dialer(dialer_options(hub.port()));
  const auto source = std::make_shared<Source>(kTotal);
  const auto connection = dialer.dial(source);
  source->begin(connection);
  std::this_thread::sleep_for(500ms);
  std::promise<std::size_t> queued;
  connection->post([&] { queued.set_value(connection->queued_bytes()); });
  EXPECT_GT(queued.get_future().get(), 0U);
  EXPECT_EQ(hub.user(0)->bytes(), 0U);
  EXPECT_TRUE(eventually([&] { return source->ticks() > 3; }));  // while it waits to write
  may_go_on = true;
  EXPECT_TRUE(hub.user(0)->wait_for_bytes(kTotal));
}

TEST(TransportStream, ManyThreadsMayPost) {
  Hub hub([](auto& options) { options.limits.messages_per_second = 10000; });
  net::Dialer dialer(dialer_options(hub.port()));
  const auto connection = dialer.dial(std::make_shared<Recorder>());
  send(connection, hello());
  constexpr std::size_t kEach = 2000;
  const auto posts = [&](std::int64_t first) {
    for (std::size_t i = 0; i < kEach; ++i) {
      send(connection, net::Progress{.steps_done = first + static_cast<std::int64_t>(i)});
    }
  };
  {
    const std::jthread other([&] { posts(0); });
    posts(1'000'000);
  }
  ASSERT_TRUE(hub.user(0)->wait_for_messages(2 * kEach + 1));
  std::int64_t low = 0;
  std::int64_t high = 1'000'000;
  std::size_t out_of_order = 0;
  for (const auto& entry : hub.user(0)->messages()) {
    if (!std::holds_alternative<net::Progress>(entry.message)) continue;
    const auto number = std::get<net::Progress>(entry.message).steps_done;
    auto& next = number < 1'000'000 ? low : high;
    if (number != next++) ++out_of_order;
  }
  EXPECT_EQ(out_of_order, 0U);
}

TEST(TransportEnd, StoppingWhileBusyEndsEveryUserOnce) {
  std::vector<std::shared_ptr<Recorder>> users;
  {
    Hub hub(as_much_as_comes, Hub::echo());
    std::vector<std::unique_ptr<net::Dialer>> dialers;
    std::vector<std::shared_ptr<Source>> sources;
    for (int i = 0; i < 4; ++i) {
      dialers.push_back(std::make_unique<net::Dialer>(dialer_options(hub.port())));
      sources.push_back(std::make_shared<Source>(std::size_t{1} << 40));
      sources.back()->begin(dialers.back()->dial(sources.back()));
      users.push_back(hub.user(static_cast<std::size_t>(i)));
      users.push_back(sources.back());
    }
    for (const auto& source : sources) ASSERT_TRUE(source->wait_for_bytes(3 * kMaxChunkBytes));
    const auto began = std::chrono::steady_clock::now();
    hub.listener().stop(300ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    EXPECT_EQ(hub.listener().connections(), 0U);
    EXPECT_THROW((void)net::Dialer(dialer_options(hub.port())).dial(std::make_shared<Recorder>()),
                 net::DialError);
  }
  for (const auto& user : users) {
    EXPECT_EQ(user->ends(), 1);
    EXPECT_EQ(user->late_calls(), 0);
  }
}

TEST(TransportEnd, StoppingWaitsForNobodyWhoShakesHands) {
  Hub hub;
  const RawSocket silent(hub.port());
  std::this_thread::sleep_for(100ms);
  const auto began = std::chrono::steady_clock::now();
  hub.listener().stop();
  hub.listener().stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
}

std::size_t count_entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(TransportEnd, AThousandConnectionsLeaveNothingBehind) {
  Hub hub({}, Hub::echo());
  net::Dialer dialer(dialer_options(hub.port()));
  const auto dial_once = [&](int number) {
    const auto user = std::make_shared<Recorder>();
    const auto connection = dialer.dial(user);
    send(connection, hello());
    if (number % 3 == 0) connection->post([connection] { connection->abort("enough"); });
    if (number % 3 == 1) close(connection);
    if (number % 3 == 2) {
      ASSERT_TRUE(user->wait_for_messages(1));
      hub.close_all();  // one that had ended before the hub knew of it may be among them
    }
    ASSERT_TRUE(user->wait_for_end());
    ASSERT_TRUE(eventually([&] { return hub.listener().connections() == 0; }));
    hub.forget();
  };
  for (int i = 0; i < 9; ++i) dial_once(i);
  const auto descriptors = count_entries("/proc/self/fd");
  const auto threads = count_entries("/proc/self/task");
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) dial_once(i);
  EXPECT_TRUE(eventually([&] { return count_entries("/proc/self/fd") <= descriptors; }));
  EXPECT_LE(count_entries("/proc/self/task"), threads);
}

/// Takes all descriptors that this process may have, but for one.
class FewDescriptors {
 public:
  FewDescriptors() {
    (void)::getrlimit(RLIMIT_NOFILE, &before_);
    auto few = before_;
    few.rlim_cur = 256;
    (void)::setrlimit(RLIMIT_NOFILE, &few);
    for (int taken = ::dup(0); taken >= 0; taken = ::dup(0)) taken_.push_back(taken);
    ::close(taken_.back());
    taken_.pop_back();
  }
  ~FewDescriptors() {
    for (const int taken : taken_) ::close(taken);
    (void)::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

/// The dialled socket is the last one that there is: the listener has none for its end.
TEST(TransportEnd, WithoutDescriptorsTheListenerWaits) {
  const LogCapture log;
  Hub hub({}, Hub::echo());
  net::Dialer dialer(dialer_options(hub.port()));
  const auto first = std::make_shared<Recorder>();
  close(dialer.dial(first));  // has what Asio opens once
  ASSERT_TRUE(first->wait_for_end());
  const auto user = std::make_shared<Recorder>();
  std::promise<void> started;
  std::promise<std::unique_ptr<FewDescriptors>> few;
  std::jthread frees([&] {  // starts before: UndefinedBehaviorSanitizer opens a pipe then
    started.set_value();
    const auto taken = few.get_future().get();
    std::this_thread::sleep_for(1s);
  });
  started.get_future().wait();
  few.set_value(std::make_unique<FewDescriptors>());
  const auto connection = dialer.dial(user);
  frees.join();
  send(connection, hello());
  EXPECT_TRUE(user->wait_for_messages(1));
  const auto text = log.text();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_TRUE(log.holds("no connection can be accepted for now: Too many open files")) << text;
  EXPECT_LT(lines, 20) << "it does not wait between its attempts";
}

}  // namespace
}  // namespace convoy::tests
