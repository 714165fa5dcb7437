// SPDX-License-Identifier: Apache-2.0
// A server and a site that sends what it should not: refused, and the run goes on with the others.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "tests/trainer/sites/site_federation_kit.h"
#include "tests/trainer/sites/site_server_kit.h"

namespace convoy::tests {
namespace {

using net::RefusalCode;
using Bytes = std::vector<std::byte>;

/// A run of two sites that have joined.
class SiteServerRounds : public ::testing::Test {
 protected:
  static trainer::Job job() {
    trainer::Job job = served_job();
    job.sites.max_update_norm = 5.0;
    return job;
  }

  void SetUp() override {
    honest_.say_join();
    round_ = hostile_.join();
    (void)honest_.expect<net::JobOffer>();
    honest_round_ = honest_.expect<net::Dispatch>();
  }

  /// The other site sends an update, which becomes a version.
  void expect_the_run_goes_on() {
    const auto version = server_.status().version;
    honest_.contribute(honest_round_);
    honest_round_ = honest_.expect<net::Dispatch>();
    EXPECT_EQ(honest_round_.version, version + 1);
  }

  /// What the server answers to this announcement, with nothing behind it.
  RefusalCode refusal_of(const net::UploadBegin& update) {
    (void)hostile_.say(update);
    return hostile_.expect_refusal();
  }

  [[nodiscard]] net::UploadBegin honest_update() const {
    return announcement(round_, update_of(server_.shape(), 0.01F));
  }

  RunningServer server_{job()};
  SpokenSite honest_{server_, "site0"};
  SpokenSite hostile_{server_, "site1"};
  net::Dispatch round_;
  net::Dispatch honest_round_;
};

TEST_F(SiteServerRounds, RefuseWhatIsAnnouncedWithoutAPlaceForIt) {
  net::UploadBegin update = honest_update();
  update.bytes = std::int64_t{1} << 30;
  EXPECT_EQ(refusal_of(update), RefusalCode::kBadUpdate) << "no model's size";
  for (const std::int64_t far : {1, 1000}) {
    update = honest_update();
    update.round += far;
    EXPECT_EQ(refusal_of(update), RefusalCode::kOutOfRound) << far;
    update.finite = false;  // has no bytes, and is not announced
    update.bytes = 0;
    update.sha256 = {};
    EXPECT_EQ(refusal_of(update), RefusalCode::kOutOfRound) << far;
  }
  expect_the_run_goes_on();
  EXPECT_EQ(server_.status().updates, 1) << "nothing of it was one";
  hostile_.contribute(round_);
  EXPECT_EQ(server_.stop().schedule.counts.refused, 0);
}

TEST_F(SiteServerRounds, RefuseTheUpdatesOfWhoHasNotJoined) {
  SpokenSite stranger(server_, "site2");
  net::UploadBegin update = honest_update();
  (void)stranger.say(update);
  EXPECT_EQ(stranger.expect_refusal(), RefusalCode::kUnexpected);
  update.finite = false;
  update.bytes = 0;
  update.sha256 = {};
  (void)stranger.say(update);
  EXPECT_EQ(stranger.expect_refusal(), RefusalCode::kUnexpected);
  // The certificate of one that has joined is not enough.
  SpokenSite second(server_, "site1");
  (void)second.say(honest_update());
  EXPECT_EQ(second.expect_refusal(), RefusalCode::kUnexpected);
  expect_the_run_goes_on();
  hostile_.contribute(round_);
}

TEST_F(SiteServerRounds, HearNothingOfStreamsThatNobodyHasAnnounced) {
  const auto bytes = update_of(server_.shape(), 0.01F);
  hostile_.send_chunk(77, 0, bytes);
  (void)hostile_.say(net::StreamEnd{.stream = 77, .sha256 = sha256(bytes)});
  expect_the_run_goes_on();
  EXPECT_EQ(server_.status().updates, 1);
  hostile_.contribute(round_);
}

TEST_F(SiteServerRounds, RefuseBytesThatAreNotTheAnnouncedOnes) {
  const auto announced = update_of(server_.shape(), 0.01F);
  const auto sent = update_of(server_.shape(), 0.02F);
  const net::Message answer = hostile_.upload(announcement(round_, announced), sent);
  ASSERT_TRUE(std::holds_alternative<net::Refusal>(answer));
  EXPECT_EQ(std::get<net::Refusal>(answer).code, RefusalCode::kBadStream);
  expect_the_run_goes_on();
  hostile_.contribute(round_);
}

/// A dense update of other tensors than the model's.
Bytes update_of_other_shapes(trainer::ModelShape shape) {
  for (auto& like : shape.like.parameters) like = like.reshape({-1});
  return update_of(shape, 0.01F);
}

/// One element of it is `value`.
Bytes update_with(const trainer::ModelShape& shape, float value) {
  trainer::TensorPack pack;
  for (const auto& like : shape.like.parameters)
    pack.parameters.push_back(0.01 * torch::ones_like(like));
  pack.parameters.back().view({-1})[0] = value;
  return trainer::to_stream(pack, shape);
}

TEST_F(SiteServerRounds, CountUpdatesOfNoUseAsRefusedAndGoOn) {
  const auto& shape = server_.shape();
  Bytes cut = update_of(shape, 0.01F);
  cut.pop_back();
  const std::vector<std::pair<std::string, Bytes>> of_no_use = {
      {"not finite", update_with(shape, std::numeric_limits<float>::quiet_NaN())},
      {"not finite", update_with(shape, -std::numeric_limits<float>::infinity())},
      {"name, type and shape", update_of_other_shapes(shape)},
      {"its norm is", update_with(shape, 6.0F)},
      {"no model", Bytes(1000, std::byte{0xA5})},
      {"no model", cut},
      {"compressed", trainer::to_stream({.payload = Bytes(100)}, shape)}};
  for (const auto& [why, bytes] : of_no_use) {
    const net::Message answer = hostile_.upload(announcement(round_, bytes), bytes);
    EXPECT_TRUE(std::holds_alternative<net::UploadAck>(answer)) << why << ": it is in the log";
    round_ = hostile_.expect<net::Dispatch>();
    EXPECT_TRUE(round_.take_back) << why;
    expect_the_run_goes_on();
  }
  hostile_.contribute(round_);
  EXPECT_FALSE(hostile_.expect<net::Dispatch>().take_back);
  const auto count = std::ssize(of_no_use);
  const auto counts = server_.stop().schedule.counts;
  EXPECT_EQ(counts.received, 2 * count + 1);
  EXPECT_EQ(counts.refused, count);
  EXPECT_EQ(counts.aggregated, count + 1);
  std::size_t refusals = 0;
  for (const auto& record : read_audit(server_.run_dir() / "audit.jsonl").records) {
    if (record.event.event != "refusal") continue;
    ASSERT_LT(refusals, of_no_use.size());
    EXPECT_EQ(record.event.site, "site1");
    EXPECT_NE(record.event.text.find(of_no_use[refusals].first), std::string::npos)
        << record.event.text;
    ++refusals;
  }
  EXPECT_EQ(refusals, of_no_use.size());
}

}  // namespace
}  // namespace convoy::tests
