// SPDX-License-Identifier: Apache-2.0
// A server and sites that come and go a thousand times, or ask for more than it can answer.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <span>
#include <string>
#include <utility>

#include "tests/trainer/sites/site_server_kit.h"

namespace convoy::tests {
namespace {

using net::RefusalCode;

std::int64_t entries_of(const std::string& folder) {
  std::int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists();
  return count;
}

/// Of this process.
struct Holdings {
  std::int64_t descriptors = entries_of("/proc/self/fd");
  std::int64_t threads = entries_of("/proc/self/task");
};

/// Announces an update of its own, sends half of it, and is gone.
void drop_within_upload(SpokenSite& site, const net::Dispatch& round, int number,
                        std::span<const std::byte> bytes) {
  net::UploadBegin update = announcement(round, bytes);
  update.update_id = "half" + std::to_string(number);
  const auto stream = site.say(update);
  const auto offset = site.expect<net::StreamOffset>();
  EXPECT_EQ(offset.offset, 0) << "nothing of this one has come";
  site.send_chunk(stream, 0, bytes.first(bytes.size() / 2));
  site.cut();
}

TEST(SiteServerStrain, AThousandConnectionsThatAreDroppedLeaveNothingBehind) {
  trainer::Job job = served_job();
  job.federation.clients = 3;
  RunningServer server(job);
  SpokenSite honest(server, "site0");
  honest.say_join();
  const auto are_away = [&] {
    const auto sites = server.status().sites;
    return !sites.at(1).connected && !sites.at(2).connected;
  };
  {
    SpokenSite other(server, "site2");
    other.say_join();
    (void)SpokenSite(server, "site1").join();
    (void)other.expect<net::JobOffer>();
  }
  ASSERT_TRUE(comes_true(are_away));
  (void)honest.expect<net::JobOffer>();
  honest.contribute(honest.expect<net::Dispatch>());
  net::Dispatch round = honest.expect<net::Dispatch>();
  const auto bytes = update_of(server.shape(), 0.01F);
  const Holdings before;

  auto hasty = std::async(std::launch::async, [&server] {
    for (int number = 0; number < 500; ++number) {
      SpokenSite(server, "site2").say_join();  // nobody takes the answer
    }
  });
  for (int number = 0; number < 500; ++number) {
    SpokenSite site(server, "site1");
    const net::Dispatch own = site.join();
    if (number % 2 == 0) drop_within_upload(site, own, number, bytes);
    if (number % 100 == 1) {
      honest.contribute(round);
      round = honest.expect<net::Dispatch>();
    }
  }
  hasty.get();

  EXPECT_TRUE(comes_true(are_away));
  Holdings after;
  EXPECT_TRUE(comes_true([&] {
    after = {};
    return after.descriptors == before.descriptors && after.threads == before.threads;
  })) << after.descriptors
      << " descriptors in place of " << before.descriptors << ", " << after.threads
      << " threads in place of " << before.threads;
  EXPECT_LE(entries_of(server.run_dir() / "updates" / "partial" / "site1"), 4);
  honest.contribute(round);
  SpokenSite back(server, "site1");
  back.contribute(back.join());
  EXPECT_EQ(server.status().updates, 8);
}

TEST(SiteServerStrain, WhoAsksForTooMuchAtOnceIsHungUpOnAndNobodyElse) {
  std::promise<void> gate;
  trainer::Job job = served_job();
  job.federation.clients = 1;
  RunningServer server(job, [is_open = gate.get_future().share()] { is_open.wait(); });
  std::promise<void> opening = std::move(gate);  // opens it too where this test gives up
  SpokenSite greedy(server, "site0");
  SpokenSite honest(server, "site1");
  honest.say_join();
  constexpr int kMany = 1000;
  constexpr int kFew = 100;
  for (int i = 0; i < kFew; ++i) (void)honest.say(net::StatusRequest{});
  for (int i = 0; i < kMany; ++i) (void)greedy.say(net::StatusRequest{});
  // Nothing is answered yet but this.
  EXPECT_EQ(greedy.expect_refusal(), RefusalCode::kTooMuch);
  EXPECT_TRUE(greedy.is_hung_up_on());
  opening.set_value();
  (void)honest.expect<net::JobOffer>();
  const auto round = honest.expect<net::Dispatch>();
  for (int i = 0; i < kFew; ++i) (void)honest.expect<net::Status>();
  honest.contribute(round);
}

}  // namespace
}  // namespace convoy::tests
