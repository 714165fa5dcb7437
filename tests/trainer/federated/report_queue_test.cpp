// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/report_queue.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace convoy::trainer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

ClientReport report_of(std::int64_t client) {
  ClientReport report;
  report.client = client;
  return report;
}

TEST(ReportQueue, HandsOutWhatMayGoFirst) {
  ReportQueue queue;
  const auto now = Clock::now();
  queue.put(report_of(1), now, now - milliseconds(1));
  queue.put(report_of(2), now, now - milliseconds(5));
  EXPECT_EQ(queue.next({})->client, 2);
  EXPECT_EQ(queue.next({})->client, 1);
  EXPECT_FALSE(queue.next({}).has_value());
}

TEST(ReportQueue, HoldsReportsBackUntilTheirTime) {
  ReportQueue queue;
  const auto due = Clock::now() + milliseconds(30);
  queue.put(report_of(1), Clock::now(), due);
  EXPECT_FALSE(queue.next(Clock::now()).has_value());
  const auto report = queue.next(due + std::chrono::seconds(10));
  ASSERT_TRUE(report.has_value());
  EXPECT_GE(Clock::now(), due);
  EXPECT_EQ(report->ready, due) << "it could not be answered before";
}

TEST(ReportQueue, GivesTheReportOfOneClientWhateverItsTime) {
  ReportQueue queue;
  const auto arrived = Clock::now();
  queue.put(report_of(1), arrived, WallTime{});
  queue.put(report_of(2), arrived, arrived + std::chrono::hours(1));
  EXPECT_FALSE(queue.of(3, Clock::now()).has_value());
  EXPECT_EQ(queue.of(2, Clock::now())->client, 2);
  EXPECT_EQ(queue.of(1, Clock::now())->ready, arrived);
}

TEST(ReportQueue, WakesWhoWaitsForAReportOrAFailure) {
  ReportQueue queue;
  const auto late = Clock::now() + std::chrono::seconds(60);
  std::jthread client([&] {
    queue.put(report_of(4), Clock::now(), WallTime{});
    std::this_thread::sleep_for(milliseconds(5));
    queue.fail(std::make_exception_ptr(std::runtime_error("training failed")));
  });
  EXPECT_EQ(queue.next(late)->client, 4);
  EXPECT_THROW((void)queue.of(4, late), std::runtime_error);
  EXPECT_THROW((void)queue.next(late), std::runtime_error);
}

}  // namespace
}  // namespace convoy::trainer
