// SPDX-License-Identifier: Apache-2.0
// An update of 5 GiB between two processes, over TLS, with the queues and windows that a site and
// its server have: the transport, the site's trainer::Upload, and the readers of streams.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/net/dialer.h"
#include "scheduler/net/listener.h"
#include "scheduler/net/stream_receiver.h"
#include "tests/scheduler/net/federation.h"
#include "tests/scheduler/net/large_stream.h"
#include "trainer/sites/upload.h"

namespace convoy::tests {
namespace {

using net::kGiB;

constexpr std::int64_t kCut = 4 * kGiB + 12345;
/// As SiteSession's.
constexpr std::int64_t kWindow = std::int64_t{8} << 20;
constexpr std::int64_t kMostExtraBytes = std::int64_t{64} << 20;
constexpr auto kPatience = std::chrono::seconds(120);

/// What the two processes tell each other. A read throws where the other one has gone.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    for (const int end : ends_) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void only_reads() { ::close(std::exchange(ends_[1], -1)); }
  void only_writes() { ::close(std::exchange(ends_[0], -1)); }
  template <typename T>
  void put(const T& value) const {
    if (::write(ends_[1], &value, sizeof value) != sizeof value) throw std::runtime_error("write");
  }
  template <typename T>
  [[nodiscard]] T get() const {
    T value{};
    if (::read(ends_[0], &value, sizeof value) != sizeof value) throw std::runtime_error("read");
    return value;
  }

 private:
  std::array<int, 2> ends_{};
};

/// More than there was at the start, which is its making.
class ExtraMemory {
 public:
  [[nodiscard]] std::int64_t bytes() const { return net::memory("VmHWM") - before_; }

 private:
  std::int64_t before_ = net::memory("VmRSS");
};

/// The server's side: takes one update over several connections, of which it cuts the first.
class Taker {
 public:
  explicit Taker(std::int64_t bytes)
      : receiver_(bytes, net::large_sha256()), tensors_(bytes, sink), bytes_(bytes) {}

  void take(net::Connection& connection, const net::Message& message, std::uint64_t id) {
    if (std::holds_alternative<net::Hello>(message)) {
      connection.send(net::Welcome{.server = "hub", .run = "run-1", .software = "test"}, id);
    }
    if (std::holds_alternative<net::UploadBegin>(message)) {
      begins.push_back(receiver_.received());
      stream_ = id;
      allow_more(connection);
    }
    if (const auto* end = std::get_if<net::StreamEnd>(&message)) {
      if (const auto error = receiver_.finish(end->sha256)) return fail(connection, *error);
      if (const auto error = tensors_.finish()) return fail(connection, *error);
      connection.send(net::UploadAck{.update_id = "u"}, id);
    }
  }

  void take(net::Connection& connection, const net::Chunk& chunk) {
    if (const auto error = receiver_.take(chunk.offset, chunk.bytes)) {
      return fail(connection, *error);
    }
    if (const auto error = tensors_.feed(chunk.bytes)) return fail(connection, *error);
    if (begins.size() == 1 && receiver_.received() >= kCut) return connection.abort("cut");
    if (limit_ < bytes_ && limit_ - receiver_.received() <= kWindow / 2) allow_more(connection);
  }

  net::DiscardingSink sink;
  std::vector<std::int64_t> begins;  ///< what the site was told when it offered the update
  std::string problem;

 private:
  void allow_more(net::Connection& connection) {
    limit_ = std::min(bytes_, receiver_.received() + kWindow);
    receiver_.allow(limit_);
    connection.send(
        net::StreamOffset{.stream = stream_, .offset = receiver_.received(), .limit = limit_});
  }
  void fail(net::Connection& connection, const net::StreamError& error) {
    problem = error.reason;
    connection.abort(error.reason);
  }

  net::StreamReceiver receiver_;
  net::TensorReader tensors_;
  std::int64_t bytes_;
  std::int64_t limit_ = 0;
  std::uint64_t stream_ = 0;
};

/// A connection of the server's. One at a time: the site dials when the last one has ended.
class Guest final : public net::ConnectionUser {
 public:
  Guest(std::shared_ptr<net::Connection> connection, Taker& taker)
      : connection_(std::move(connection)), taker_(taker) {}
  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t) override {
    taker_.take(*connection_, message, id);
  }
  void on_chunk(const net::Chunk& chunk) override { taker_.take(*connection_, chunk); }
  void on_closed(const std::string&) override { connection_.reset(); }

 private:
  std::shared_ptr<net::Connection> connection_;
  Taker& taker_;
};

/// What the site's process has seen.
struct SiteReport {
  std::int64_t extra_bytes = 0;
  std::array<std::int64_t, 2> sent{};  ///< up to where, when each connection ended
  bool is_acknowledged = false;
};

/// The site's side of a connection.
class Site final : public net::ConnectionUser {
 public:
  Site(trainer::Upload& upload, SiteReport& report) : upload_(upload), report_(report) {}

  void begin(std::shared_ptr<net::Connection> connection) {
    auto& there = *connection;
    there.post([this, connection = std::move(connection)] {
      connection_ = connection;
      connection_->send(net::Hello{
          .party = net::Party::kSite, .name = "clinic-a", .instance = "1", .software = "test"});
    });
  }
  void on_message(const net::Message& message, std::uint64_t, std::uint64_t) override {
    if (std::holds_alternative<net::Welcome>(message)) upload_.announce(*connection_);
    if (const auto* offset = std::get_if<net::StreamOffset>(&message)) {
      if (const auto error = upload_.allow(*offset)) return connection_->abort(error->reason);
      (void)upload_.pump(*connection_);
    }
    if (std::holds_alternative<net::UploadAck>(message)) {
      report_.is_acknowledged = true;
      connection_->close();
    }
  }
  void on_chunk(const net::Chunk&) override {}
  void on_drained() override { (void)upload_.pump(*connection_); }
  void on_closed(const std::string&) override {
    upload_.withdraw();
    connection_.reset();
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
    over_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    if (!over_.wait_for(lock, kPatience, [&] { return is_over_; })) {
      throw std::runtime_error("a connection does not end");
    }
  }

 private:
  trainer::Upload& upload_;
  SiteReport& report_;
  std::shared_ptr<net::Connection> connection_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
};

SiteReport send_update(const net::DialerOptions& options) {
  const ExtraMemory memory;
  SiteReport report;
  std::int64_t sent = 0;
  const auto manifest = net::large_manifest();
  const auto source = net::tensor_source(manifest, net::generate);
  trainer::Upload upload({.begin = {.update_id = "u",
                                    .sha256 = net::large_sha256(),
                                    .bytes = net::stream_bytes(manifest)},
                          .source =
                              [&](std::int64_t offset, std::span<std::byte> out) {
                                source(offset, out);
                                sent = offset + std::ssize(out);
                              },
                          .run = "run-1"});
  net::Dialer dialer(options);
  for (auto& end : report.sent) {
    const auto site = std::make_shared<Site>(upload, report);
    site->begin(dialer.dial(site));
    site->wait();
    end = sent;
  }
  report.extra_bytes = memory.bytes();
  return report;
}

/// The site's process. It must leave nothing of the test's behind it.
[[noreturn]] void be_the_site(net::DialerOptions options, Pipe& port, Pipe& report) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  port.only_reads();
  report.only_writes();
  try {
    options.server = {"127.0.0.1", port.get<std::uint16_t>()};
    report.put(send_update(options));
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "the site: %s\n", error.what());
    ::_exit(1);
  }
  ::_exit(0);
}

TEST(LargeUpload, FiveGiBAreCutBeyondFourAndGoOnBetweenTwoProcessesInBoundedMemory) {
  Federation federation;
  const net::DialerOptions dialer{.own = federation.member("clinic-a", net::Role::kSite),
                                  .authorities = federation.files().certificate,
                                  .lists = federation.files().list};
  net::ListenerOptions options{.host = "127.0.0.1",
                               .own = federation.member("hub", net::Role::kServer),
                               .peers = federation.accepting({net::Role::kSite}),
                               .threads = 1};
  Pipe port;
  Pipe report;
  const pid_t child = ::fork();  // before there is a thread
  ASSERT_GE(child, 0);
  if (child == 0) be_the_site(dialer, port, report);
  port.only_writes();
  report.only_reads();

  const ExtraMemory memory;
  const std::int64_t bytes = net::stream_bytes(net::large_manifest());
  Taker taker(bytes);
  net::Listener listener(std::move(options), [&](std::shared_ptr<net::Connection> connection) {
    return std::make_shared<Guest>(std::move(connection), taker);
  });
  port.put(listener.port());
  const auto site = report.get<SiteReport>();
  listener.stop();
  const std::int64_t extra_bytes = memory.bytes();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);

  EXPECT_EQ(taker.problem, "");
  EXPECT_TRUE(site.is_acknowledged);
  EXPECT_EQ(taker.sink.bytes_seen, 5 * kGiB);
  EXPECT_TRUE(taker.sink.in_order);
  ASSERT_EQ(taker.begins.size(), 2U);
  EXPECT_EQ(taker.begins[0], 0);
  EXPECT_GE(taker.begins[1], kCut);
  EXPECT_LE(taker.begins[1], kCut + (1 << 20));
  // What had been sent and not taken was sent again.
  EXPECT_GE(site.sent[0], taker.begins[1]);
  EXPECT_LE(site.sent[0], taker.begins[1] + kWindow);
  EXPECT_EQ(site.sent[1], bytes);
  RecordProperty("server_extra_bytes", std::to_string(extra_bytes));
  RecordProperty("site_extra_bytes", std::to_string(site.extra_bytes));
  EXPECT_LE(extra_bytes, kMostExtraBytes) << "the server's";
  EXPECT_LE(site.extra_bytes, kMostExtraBytes) << "the site's";
}

}  // namespace
}  // namespace convoy::tests
