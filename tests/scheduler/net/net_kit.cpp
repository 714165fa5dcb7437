// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/net_kit.h"

#include <algorithm>
#include <cctype>

namespace convoy::net {
namespace {

Sha256 digest_of(const std::string& text) { return sha256(bytes_of_text(text)); }

std::vector<Message> session() {
  return {
      Hello{.versions = {.lowest = 1, .highest = 3},
            .party = Party::kSite,
            .name = "clinic-a",
            .instance = "5f1c",
            .capabilities = {"fp16", "proxy"},
            .software = "convoy 0.1.0"},
      Welcome{.version = 1,
              .server = "hub",
              .run = "run-7",
              .capabilities = {"fp16"},
              .heartbeat_ms = 2500,
              .liveness_ms = 20000,
              .software = "convoy 0.1.1"},
      Refusal{.code = RefusalCode::kOutOfRound, .text = "round 4 is over"},
      Goodbye{.text = "the run is over"},
      Accepted{.text = "paused"},
      Join{.samples = 60000,
           .schema_hash = 0x1122334455667788,
           .threads = 4,
           .ranks = 2,
           .held_version = 0,
           .pending_update = "r3-5f1c",
           .open_round = 3},
      JobOffer{.job = "[model]\nname = \"mlp\"\n",
               .model_hash = 0x99aabbccddeeff00,
               .torchscript_sha256 = digest_of("script"),
               .client = 2},
      Dispatch{.round = 5,
               .version = 17,
               .model_hash = 0x0123456789abcdef,
               .steps = 120,
               .deadline_seconds = 61.5,
               .seed = 42,
               .position = 900,
               .updates = 55,
               .take_back = true},
      Progress{.activity = Activity::kTraining, .round = 5, .steps_done = 33},
      Leave{.reason = LeaveReason::kPrivacyBudget, .text = "epsilon 3 is spent"},
  };
}

std::vector<Message> streams_and_operators() {
  return {
      UploadBegin{.update_id = "r5-5f1c",
                  .sha256 = digest_of("update"),
                  .bytes = std::int64_t{5} << 30,
                  .round = 5,
                  .version = 17,
                  .steps = 118,
                  .samples = 60000,
                  .position = 1018,
                  .training_seconds = 12.25,
                  .epsilon = 0.75,
                  .finite = true,
                  .metrics = {{"loss", 0.5}, {"accuracy", 0.875}}},
      UploadAck{.update_id = "r5-5f1c", .duplicate = true},
      ModelBegin{.kind = StreamKind::kFinalModel,
                 .version = 18,
                 .model_hash = 0xfedcba9876543210,
                 .sha256 = digest_of("model"),
                 .bytes = (std::int64_t{1} << 40) + 1},
      StreamOffset{.stream = 7, .offset = 4294967297, .limit = 4299161601},
      StreamEnd{.stream = 7, .sha256 = digest_of("update")},
      StatusRequest{.first = 256},
      Status{.run = "run-7",
             .phase = RunPhase::kRunning,
             .version = 18,
             .seconds = 77.5,
             .updates = 60,
             .pending = 1,
             .total_sites = 258,
             .first = 256,
             .sites = {{.name = "clinic-a",
                        .activity = Activity::kTraining,
                        .connected = true,
                        .seconds_per_step = 0.125,
                        .group = 0,
                        .round = 5,
                        .steps = 120,
                        .version = 17,
                        .bytes_up = 123456789012,
                        .bytes_down = 45,
                        .silent_seconds = 0.5},
                       {.name = "clinic-b",
                        .activity = Activity::kIdle,
                        .parting = Parting::kRemoved}},
             .awaited_sites = 3},
      Command{.order = OperatorOrder::kRemove, .site = "clinic-b"},
  };
}

}  // namespace

std::vector<Message> every_message() {
  auto all = session();
  for (auto& message : streams_and_operators()) all.push_back(std::move(message));
  return all;
}

Party sender_of(const Message& message) {
  for (const Party party : {Party::kServer, Party::kSite, Party::kOperator}) {
    if (may_send(party, type_of(message))) return party;
  }
  return Party::kServer;
}

ReadFrames read_frames(std::span<const std::byte> bytes, std::size_t piece, FrameLimits limits) {
  ReadFrames result;
  FrameReader reader(limits);
  while (!bytes.empty()) {
    auto front = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(front.size());
    while (const auto frame = reader.next(front)) {
      result.frames.push_back({.type = frame->type,
                               .id = frame->id,
                               .answers = frame->answers,
                               .body = Bytes(frame->body.begin(), frame->body.end())});
    }
  }
  reader.finish();
  result.error = reader.error();
  return result;
}

Bytes bytes_of_text(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Bytes bytes_of_hex(const std::string& text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](unsigned char c) { return std::isxdigit(c) != 0; });
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string hex_of(std::span<const std::byte> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) text += i % 16 == 0 ? '\n' : ' ';
    text += kDigits[std::to_integer<int>(bytes[i] >> 4)];
    text += kDigits[std::to_integer<int>(bytes[i] & std::byte{15})];
  }
  return text;
}

}  // namespace convoy::net
