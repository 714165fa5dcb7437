// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/progress.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <regex>
#include <string>
#include <system_error>

namespace convoy::trainer {
namespace {

/// A stream whose other end this process reads: a pipe or a pseudo-terminal.
class Channel {
 public:
  static Channel pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    return {ends[0], ends[1]};
  }
  static Channel terminal(unsigned short columns) {
    int ours = -1;
    int theirs = -1;
    winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::openpty(&ours, &theirs, nullptr, nullptr, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "openpty");
    }
    return {ours, theirs};
  }
  ~Channel() {
    std::fclose(stream_);
    ::close(read_end_);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] std::FILE* stream() const { return stream_; }

  /// All that has been written so far.
  [[nodiscard]] std::string read() const {
    std::string text;
    std::array<char, 4096> buffer{};
    pollfd waiting{.fd = read_end_, .events = POLLIN, .revents = 0};
    while (::poll(&waiting, 1, 50) == 1 && (waiting.revents & POLLIN) != 0) {
      const auto got = ::read(read_end_, buffer.data(), buffer.size());
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  Channel(int read_end, int write_end) : read_end_(read_end), stream_(::fdopen(write_end, "w")) {}

  int read_end_;
  std::FILE* stream_;
};

TEST(Progress, WritesPlainLinesIntoAPipe) {
  const auto channel = Channel::pipe();
  {
    Progress progress(1000, 0, channel.stream());
    progress.step(49, 0.5, 99.0);
    progress.interval({.step = 50,
                       .epoch = 1,
                       .loss = 0.25,
                       .learning_rate = 0.05,
                       .samples_per_second = 1234.4});
    progress.evaluation({.step = 50, .epoch = 1, .loss = 0.5, .accuracy = 0.875});
  }
  const std::regex expected(
      "step 50/1000  epoch 1  loss 0\\.2500  lr 0\\.05  1234 samples/s  [0-9:]+ left\n"
      "evaluation at step 50  epoch 1  loss 0\\.5000  accuracy 0\\.8750\n");
  const auto found = channel.read();
  EXPECT_TRUE(std::regex_match(found, expected)) << found;
}

TEST(Progress, LeavesOutTheAccuracyOfRegression) {
  const auto channel = Channel::pipe();
  Progress progress(10, 0, channel.stream());
  progress.evaluation(
      {.step = 3, .loss = 0.5, .accuracy = std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(channel.read(), "evaluation at step 3  epoch 0  loss 0.5000\n");
}

TEST(Progress, RedrawsABarInPlaceOnATerminal) {
  const auto channel = Channel::terminal(100);
  {
    Progress progress(200, 0, channel.stream());
    progress.step(50, 1.5, 640.0);
    const auto first = channel.read();
    EXPECT_EQ(first.substr(0, 4), "\r\x1b[K");
    EXPECT_NE(first.find("[=======>"), std::string::npos) << first;
    EXPECT_NE(first.find(" 25 %  step 50/200  loss 1.5000  640 samples/s  0:0"), std::string::npos)
        << first;
    EXPECT_EQ(first.find('\n'), std::string::npos);

    progress.step(200, 1.25, 640.0);  // the last step is always drawn
    const auto last = channel.read();
    EXPECT_NE(last.find("[==============================] 100 %"), std::string::npos) << last;
  }
  EXPECT_EQ(channel.read(), "\r\n");  // a terminal turns a line feed into both
}

TEST(Progress, RedrawsAtMostTenTimesASecond) {
  const auto channel = Channel::terminal(100);
  Progress progress(1000, 0, channel.stream());
  for (int step = 1; step < 500; ++step) progress.step(step, 1.5, 640.0);
  const auto drawn = channel.read();
  EXPECT_LT(std::count(drawn.begin(), drawn.end(), '\r'), 100) << "499 steps in a moment";
}

TEST(Progress, WritesEvaluationsAboveTheBar) {
  const auto channel = Channel::terminal(100);
  Progress progress(200, 0, channel.stream());
  progress.step(50, 1.5, 640.0);
  (void)channel.read();
  progress.evaluation({.step = 50, .epoch = 0, .loss = 0.5, .accuracy = 0.5});
  EXPECT_EQ(channel.read(),
            "\r\x1b[Kevaluation at step 50  epoch 0  loss 0.5000  accuracy 0.5000\r\n");
}

TEST(Progress, NeverWrapsOnANarrowTerminal) {
  const auto channel = Channel::terminal(20);
  Progress progress(200, 0, channel.stream());
  progress.step(50, 1.5, 640.0);
  EXPECT_EQ(channel.read(), "\r\x1b[K 25 %  step 50/200 ");
}

TEST(Progress, ReckonsTimeLeftFromTheResumedStepOn) {
  const auto channel = Channel::pipe();
  Progress progress(1'000'000'000, 500, channel.stream());
  progress.interval({.step = 500});
  EXPECT_NE(channel.read().find(" ? left"), std::string::npos);
  ::usleep(20'000);
  progress.interval({.step = 501});  // at least 20 ms for each of 1e9 steps: 5555 hours or more
  const auto line = channel.read();
  const auto hours = std::stoll(line.substr(line.rfind("samples/s") + 9));
  EXPECT_GE(hours, 5555) << line;
}

TEST(FormatDuration, FollowsTheClock) {
  EXPECT_EQ(format_duration(6.6), "0:07");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
}

}  // namespace
}  // namespace convoy::trainer
