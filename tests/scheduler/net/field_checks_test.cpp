// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "base/errors.h"
#include "scheduler/net/internal/wire.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {
namespace {

/// What the decoder says of `good` after `damage` to its fields.
template <typename T, typename Damage>
std::string refusal_of(const T& good, Damage damage) {
  auto from = internal::to_wire(good);
  damage(from);
  Bytes body(from.ByteSizeLong());
  EXPECT_TRUE(from.SerializeToArray(body.data(), static_cast<int>(body.size())));
  const auto decoded =
      decode(Frame{.type = T::kType, .id = 1, .body = body}, sender_of(Message(good)));
  const auto* refusal = std::get_if<Refusal>(&decoded);
  if (refusal == nullptr) return "accepted";
  EXPECT_EQ(refusal->code, RefusalCode::kMalformed);
  return refusal->text;
}

template <typename T>
T example() {
  for (const Message& message : every_message()) {
    if (const auto* found = std::get_if<T>(&message)) return *found;
  }
  throw ContractError("no example");
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FieldChecks, Names) {
  for (const std::string bad : {"", ".", "..", "a/b", "a b", "a\n", "\xc3\xa4", "../x"}) {
    EXPECT_EQ(refusal_of(example<Hello>(), [&](auto& hello) { hello.set_name(bad); }).substr(0, 22),
              "Hello: name is no name")
        << bad;
  }
  const auto with_length = [](std::size_t length) {
    return refusal_of(example<Hello>(),
                      [&](auto& hello) { hello.set_name(std::string(length, 'x')); });
  };
  EXPECT_EQ(with_length(64), "accepted");
  EXPECT_NE(with_length(65), "accepted");
  EXPECT_NE(
      refusal_of(example<UploadBegin>(), [](auto& begin) { begin.set_update_id("../../etc"); }),
      "accepted");
  EXPECT_NE(refusal_of(example<Command>(), [](auto& command) { command.set_site(""); }),
            "accepted");
}

TEST(FieldChecks, CountsAreNotNegativeAndMayBeLarge) {
  const auto bytes = [](std::int64_t value) {
    return refusal_of(example<UploadBegin>(), [&](auto& begin) { begin.set_bytes(value); });
  };
  EXPECT_EQ(bytes(-1), "UploadBegin: bytes is too small");
  EXPECT_EQ(bytes(std::numeric_limits<std::int64_t>::max()), "accepted");
  EXPECT_EQ(refusal_of(example<UploadBegin>(), [](auto& begin) { begin.set_steps(0); }),
            "UploadBegin: steps is too small");
  EXPECT_EQ(refusal_of(example<Join>(), [](auto& join) { join.set_samples(0); }),
            "Join: samples is too small");
  EXPECT_EQ(refusal_of(example<Join>(), [](auto& join) { join.set_held_version(-1); }),
            "Join: held_version is too small");
  EXPECT_EQ(refusal_of(example<Dispatch>(), [](auto& dispatch) { dispatch.set_round(-5); }),
            "Dispatch: round is too small");
  EXPECT_EQ(
      refusal_of(example<Welcome>(), [](auto& welcome) { welcome.set_heartbeat_ms(1L << 40); }),
      "Welcome: heartbeat_ms is too large");
}

/// So that no sum over sites overflows.
TEST(FieldChecks, WhatASiteCountsIsBounded) {
  const auto join = [](std::int64_t samples) {
    return refusal_of(example<Join>(), [&](auto& message) { message.set_samples(samples); });
  };
  EXPECT_EQ(join(std::int64_t{1} << 40), "accepted");
  EXPECT_EQ(join((std::int64_t{1} << 40) + 1), "Join: samples is too large");
  EXPECT_EQ(join(std::numeric_limits<std::int64_t>::max()), "Join: samples is too large");
  const auto update = [](auto damage) { return refusal_of(example<UploadBegin>(), damage); };
  for (const auto count : {(std::int64_t{1} << 40) + 1, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(update([&](auto& begin) { begin.set_samples(count); }),
              "UploadBegin: samples is too large");
    EXPECT_EQ(update([&](auto& begin) { begin.set_steps(count); }),
              "UploadBegin: steps is too large");
    EXPECT_EQ(update([&](auto& begin) { begin.set_position(count); }),
              "UploadBegin: position is too large");
    EXPECT_EQ(refusal_of(example<Progress>(), [&](auto& sign) { sign.set_steps_done(count); }),
              "Progress: steps_done is too large");
    EXPECT_EQ(refusal_of(example<Dispatch>(), [&](auto& round) { round.set_steps(count); }),
              "Dispatch: steps is too large");
    EXPECT_EQ(refusal_of(example<Dispatch>(), [&](auto& round) { round.set_position(count); }),
              "Dispatch: position is too large");
  }
  EXPECT_EQ(update([](auto& begin) { begin.set_training_seconds(1.1e12); }),
            "UploadBegin: training_seconds is too large");
  const auto metric = [&](double value) {
    return update([&](auto& begin) { begin.mutable_metrics(0)->set_value(value); });
  };
  EXPECT_EQ(metric(9007199254740992.0), "accepted");
  EXPECT_EQ(metric(-9007199254740992.0), "accepted");
  EXPECT_EQ(metric(9007199254740994.0), "UploadBegin: metrics.value is too large");
  EXPECT_EQ(metric(-1e300), "UploadBegin: metrics.value is too small");
}

TEST(FieldChecks, NumbersAreFinite) {
  for (const double bad : {kNan, kInfinity, -kInfinity, -1.0}) {
    EXPECT_NE(refusal_of(example<UploadBegin>(), [&](auto& begin) { begin.set_epsilon(bad); }),
              "accepted");
    EXPECT_NE(
        refusal_of(example<UploadBegin>(), [&](auto& begin) { begin.set_training_seconds(bad); }),
        "accepted");
    EXPECT_NE(refusal_of(example<Dispatch>(),
                         [&](auto& dispatch) { dispatch.set_deadline_seconds(bad); }),
              "accepted");
  }
  const auto metric = [](double value) {
    return refusal_of(example<UploadBegin>(),
                      [&](auto& begin) { begin.mutable_metrics(0)->set_value(value); });
  };
  EXPECT_EQ(metric(-1.0), "accepted");
  EXPECT_EQ(metric(kNan), "UploadBegin: metrics.value is not finite");
}

TEST(FieldChecks, EnumeratorsAreKnown) {
  for (const std::uint32_t bad : {0U, 17U, 257U, 0xffffffffU}) {
    EXPECT_EQ(refusal_of(example<Refusal>(), [&](auto& refusal) { refusal.set_code(bad); }),
              "Refusal: code has no such value");
    EXPECT_EQ(refusal_of(example<Progress>(), [&](auto& progress) { progress.set_activity(bad); }),
              "Progress: activity has no such value");
  }
  EXPECT_EQ(refusal_of(example<Hello>(), [](auto& hello) { hello.set_party(1); }),
            "Hello: party cannot be the server");
}

TEST(FieldChecks, DigestsHave32Bytes) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    EXPECT_EQ(refusal_of(example<StreamEnd>(),
                         [&](auto& end) { end.set_sha256(std::string(size, 'x')); }),
              "StreamEnd: sha256 is no SHA-256 (32 bytes)");
  }
}

TEST(FieldChecks, TextsAreFitForALog) {
  const auto text = [](const std::string& value) {
    return refusal_of(example<Goodbye>(), [&](auto& goodbye) { goodbye.set_text(value); });
  };
  EXPECT_EQ(text(std::string(1000, 'x')), "accepted");
  EXPECT_EQ(text(std::string(1001, 'x')), "Goodbye: text is too long");
  EXPECT_EQ(text("a\nERROR forged"), "Goodbye: text has control characters");
  EXPECT_EQ(text("\x1b[2J"), "Goodbye: text has control characters");
}

TEST(FieldChecks, TextsAreUtf8) {
  const auto text = [](const std::string& value) {
    return refusal_of(example<Goodbye>(), [&](auto& goodbye) { goodbye.set_text(value); });
  };
  for (const std::string good :
       {"Z\xc3\xbcrich", "\xe2\x82\xac", "\xf0\x9f\x9a\x9a", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(text(good), "accepted") << good;
  }
  for (const std::string bad : {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                                "\xf4\x90\x80\x80", "\xff", "\xe2\x82"}) {
    EXPECT_EQ(text(bad), "Goodbye: text is not UTF-8");
  }
}

TEST(FieldChecks, AnythingCanBeMadeAText) {
  EXPECT_EQ(as_text("a\nb\x1b\xff\x7f~"), "a?b???~");
  EXPECT_NO_THROW((void)encode(Goodbye{.text = as_text(std::string(5000, '\0'))}));
}

TEST(FieldChecks, ListsAreBounded) {
  EXPECT_EQ(refusal_of(example<Hello>(),
                       [](auto& hello) {
                         for (int i = 0; i < 31; ++i) hello.add_capabilities("x");
                       }),
            "Hello: capabilities are too many");
  EXPECT_EQ(refusal_of(example<UploadBegin>(),
                       [](auto& begin) {
                         for (int i = 0; i < 64; ++i) begin.add_metrics()->set_name("x");
                       }),
            "UploadBegin: metrics are too many");
  EXPECT_EQ(refusal_of(example<Status>(),
                       [](auto& status) {
                         for (int i = 0; i < 256; ++i) status.add_sites();
                       }),
            "Status: sites are too many");
  EXPECT_EQ(
      refusal_of(example<JobOffer>(), [](auto& offer) { offer.set_job(std::string(49153, ' ')); }),
      "JobOffer: job is too long");
}

TEST(FieldChecks, FieldsThatBelongTogether) {
  EXPECT_EQ(refusal_of(example<Hello>(), [](auto& hello) { hello.set_lowest_version(4); }),
            "Hello: lowest_version is no version up to highest_version");
  EXPECT_EQ(refusal_of(example<UploadBegin>(), [](auto& begin) { begin.set_finite(false); }),
            "UploadBegin: bytes must be 0 exactly where not finite");
  EXPECT_EQ(refusal_of(example<UploadBegin>(), [](auto& begin) { begin.set_bytes(0); }),
            "UploadBegin: bytes must be 0 exactly where not finite");
  EXPECT_EQ(refusal_of(example<StreamOffset>(), [](auto& offset) { offset.set_limit(1); }),
            "StreamOffset: limit is too small");
  EXPECT_EQ(refusal_of(example<Command>(), [](auto& command) { command.clear_site(); }),
            "Command: site must be named exactly where one is removed");
  EXPECT_EQ(refusal_of(example<Command>(), [](auto& command) { command.set_order(1); }),
            "Command: site must be named exactly where one is removed");
}

/// What arrives of a message.
template <typename T>
T passed_on(const T& message) {
  const Bytes body = encode(message);
  const Frame frame{.type = T::kType, .id = 1, .body = body};
  return std::get<T>(std::get<Message>(decode(frame, sender_of(message))));
}

TEST(FieldChecks, TextsArriveWhateverTheyAre) {
  std::string text;
  while (text.size() < 5000) text += "the file \xe2\x80\x9cZ\xc3\xbcrich\xe2\x80\x9d is missing\n";
  EXPECT_EQ(passed_on(Refusal{.code = RefusalCode::kFailed, .text = text}).text, as_text(text));
  EXPECT_EQ(as_text(text).substr(0, 34), "the file ???Z??rich??? is missing?");
  EXPECT_EQ(as_text(text).size(), kMaxTextBytes);
  EXPECT_EQ(passed_on(Goodbye{.text = text}).text, as_text(text));
  EXPECT_EQ(passed_on(Accepted{.text = text}).text, as_text(text));
  EXPECT_EQ(passed_on(Leave{.text = text}).text, as_text(text));
  EXPECT_EQ(passed_on(Hello{.name = "a", .instance = "b", .software = text}).software,
            as_text(text));
  EXPECT_EQ(passed_on(Welcome{.server = "a", .run = "b", .software = text}).software,
            as_text(text));
  // What may be sent is sent as it is.
  EXPECT_EQ(passed_on(Goodbye{.text = "Z\xc3\xbcrich"}).text, "Z\xc3\xbcrich");
}

/// Of an update whose training went wrong, for one: it is reported all the same.
TEST(FieldChecks, LargeMetricsAreSentAsTheLargest) {
  UploadBegin update = example<UploadBegin>();
  update.metrics = {{"loss", 1e200}, {"gain", -1e200}, {"plain", 0.5}};
  const std::vector<Metric> expected{
      {"loss", kLargestMetric}, {"gain", -kLargestMetric}, {"plain", 0.5}};
  EXPECT_EQ(passed_on(update).metrics, expected);
  update.metrics = {{"loss", kInfinity}};
  EXPECT_THROW((void)encode(update), ContractError);
}

TEST(FieldChecks, NobodySendsWhatWouldBeRefused) {
  EXPECT_THROW((void)encode(Hello{.name = "", .instance = "x"}), ContractError);
  EXPECT_THROW((void)encode(Dispatch{.steps = 0}), ContractError);
  EXPECT_THROW((void)encode(Dispatch{.deadline_seconds = kInfinity}), ContractError);
}

}  // namespace
}  // namespace convoy::net
