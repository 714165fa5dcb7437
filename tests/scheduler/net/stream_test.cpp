// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/errors.h"
#include "base/sha256.h"
#include "scheduler/net/chunk.h"
#include "tests/scheduler/net/streams.h"

namespace convoy::net {
namespace {

std::optional<StreamFault> fault(const std::optional<StreamError>& error) {
  if (!error) return std::nullopt;
  EXPECT_FALSE(error->reason.empty());
  return error->fault;
}

/// Moves all that the sender may send.
std::optional<StreamError> pump(StreamSender& from, StreamReceiver& to, Bytes* kept = nullptr) {
  while (const auto piece = from.next()) {
    if (auto error = to.take(piece->offset, piece->bytes)) return error;
    if (kept != nullptr) kept->insert(kept->end(), piece->bytes.begin(), piece->bytes.end());
  }
  return std::nullopt;
}

TEST(Stream, ArrivesWhateverTheSizeOfChunks) {
  const Bytes bytes = pattern(1000);
  for (const std::size_t chunk : {1U, 7U, 500U, 999U, 1000U, 1001U}) {
    StreamSender sender(1000, source_of(bytes), std::nullopt, chunk);
    StreamReceiver receiver(1000, sha256(bytes));
    Bytes kept;
    ASSERT_FALSE(sender.start(0, 1000));
    ASSERT_FALSE(pump(sender, receiver, &kept));
    EXPECT_TRUE(sender.at_end());
    EXPECT_EQ(kept, bytes);
    EXPECT_EQ(sender.digest(), sha256(bytes));
    EXPECT_FALSE(receiver.finish(sender.digest()));
  }
}

TEST(Stream, GoesOnFromEveryOffsetOverANewConnection) {
  const Bytes bytes = pattern(300);
  for (std::int64_t cut = 0; cut <= 300; ++cut) {
    StreamSender sender(300, source_of(bytes), std::nullopt, 64);
    StreamReceiver receiver(300, sha256(bytes));
    Bytes kept;
    ASSERT_FALSE(sender.start(0, cut));
    ASSERT_FALSE(pump(sender, receiver, &kept));
    ASSERT_EQ(receiver.received(), cut);
    ASSERT_FALSE(sender.start(receiver.received(), 300));
    ASSERT_FALSE(pump(sender, receiver, &kept));
    ASSERT_EQ(kept, bytes);
    ASSERT_FALSE(receiver.finish(sender.digest())) << cut;
  }
}

TEST(Stream, GoesOnAfterBothEndsHaveRestarted) {
  const Bytes bytes = pattern(300);
  for (std::int64_t cut = 0; cut <= 300; cut += 13) {
    for (const bool digest_known : {true, false}) {
      const auto known = digest_known ? std::optional(sha256(bytes)) : std::nullopt;
      Bytes stored(bytes.begin(), bytes.begin() + cut);
      StreamReceiver receiver(300, sha256(bytes));
      for (const std::byte byte : stored) ASSERT_FALSE(receiver.restore({&byte, 1}));
      StreamSender sender(300, source_of(bytes), known, 64);
      ASSERT_FALSE(sender.start(receiver.received(), 300));
      ASSERT_FALSE(pump(sender, receiver, &stored));
      EXPECT_EQ(stored, bytes);
      if (cut < 300 || digest_known) {
        EXPECT_EQ(sender.digest(), sha256(bytes)) << cut;
      }
      EXPECT_FALSE(receiver.finish(sha256(bytes))) << cut << digest_known;
    }
  }
}

TEST(Stream, WhatWasStoredWrongIsFoundAtTheEnd) {
  const Bytes bytes = pattern(100);
  Bytes stored(bytes.begin(), bytes.begin() + 50);
  stored[20] ^= std::byte{1};
  StreamReceiver receiver(100, sha256(bytes));
  ASSERT_FALSE(receiver.restore(stored));
  StreamSender sender(100, source_of(bytes), sha256(bytes));
  ASSERT_FALSE(sender.start(50, 100));
  ASSERT_FALSE(pump(sender, receiver));
  EXPECT_EQ(fault(receiver.finish(sha256(bytes))), StreamFault::kHash);
}

TEST(Stream, SenderSendsAgainWhatWasLost) {
  const Bytes bytes = pattern(300);
  StreamSender sender(300, source_of(bytes), std::nullopt, 64);
  ASSERT_FALSE(sender.start(0, 300));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.next());
  StreamReceiver receiver(300, sha256(bytes));
  ASSERT_FALSE(receiver.take(0, std::span(bytes).first(10)));
  ASSERT_FALSE(sender.start(10, 300));
  ASSERT_FALSE(pump(sender, receiver));
  EXPECT_FALSE(receiver.finish(sender.digest()));
}

TEST(Stream, SenderWaitsAtTheLimit) {
  const Bytes bytes = pattern(300);
  StreamSender sender(300, source_of(bytes), std::nullopt, 64);
  EXPECT_FALSE(sender.next());
  ASSERT_FALSE(sender.start(0, 100));
  EXPECT_EQ(sender.next().value().bytes.size(), 64U);
  EXPECT_EQ(sender.next().value().bytes.size(), 36U);
  EXPECT_FALSE(sender.next());
  EXPECT_FALSE(sender.at_end());
  EXPECT_THROW((void)sender.digest(), ContractError);
  ASSERT_FALSE(sender.allow(80, 101));
  EXPECT_EQ(sender.next().value().bytes.size(), 1U);
  EXPECT_EQ(fault(sender.allow(102, 200)), StreamFault::kOffset);
  EXPECT_EQ(fault(sender.allow(80, 100)), StreamFault::kOffset);
}

TEST(Stream, SenderRefusesOffsetsThatTheStreamHasNot) {
  const Bytes bytes = pattern(10);
  StreamSender sender(10, source_of(bytes));
  EXPECT_EQ(fault(sender.start(11, 20)), StreamFault::kOffset);
  EXPECT_EQ(fault(sender.start(-1, 20)), StreamFault::kOffset);
  EXPECT_EQ(fault(sender.start(5, 4)), StreamFault::kOffset);
  EXPECT_FALSE(sender.start(10, std::numeric_limits<std::int64_t>::max()));
  EXPECT_FALSE(sender.next());
}

TEST(Stream, ReceiverTakesOnlyTheNextByte) {
  const Bytes bytes = pattern(100);
  for (const std::int64_t wrong : {0, 9, 11, 99}) {
    StreamReceiver receiver(100, sha256(bytes));
    ASSERT_FALSE(receiver.take(0, std::span(bytes).first(10)));
    EXPECT_EQ(fault(receiver.take(wrong, std::span(bytes).subspan(10, 1))), StreamFault::kOffset);
    EXPECT_EQ(receiver.received(), 10);
    // It stays refused.
    EXPECT_EQ(fault(receiver.take(10, std::span(bytes).subspan(10))), StreamFault::kOffset);
    EXPECT_EQ(fault(receiver.finish(sha256(bytes))), StreamFault::kOffset);
  }
}

TEST(Stream, ReceiverTakesNoMoreThanWasAnnouncedOrAllowed) {
  const Bytes bytes = pattern(100);
  StreamReceiver small(99, sha256(bytes));
  EXPECT_EQ(fault(small.take(0, bytes)), StreamFault::kOverrun);
  StreamReceiver restored(99, sha256(bytes));
  EXPECT_EQ(fault(restored.restore(bytes)), StreamFault::kOverrun);
  StreamReceiver limited(100, sha256(bytes));
  limited.allow(60);
  EXPECT_FALSE(limited.take(0, std::span(bytes).first(60)));
  limited.allow(70);
  EXPECT_FALSE(limited.take(60, std::span(bytes).subspan(60, 10)));
  EXPECT_EQ(fault(limited.take(70, std::span(bytes).subspan(70))), StreamFault::kBeyondLimit);
}

TEST(Stream, EndsOnlyWhenItIsWholeAndHasItsHash) {
  const Bytes bytes = pattern(100);
  StreamReceiver cut(100, sha256(bytes));
  ASSERT_FALSE(cut.take(0, std::span(bytes).first(99)));
  EXPECT_EQ(fault(cut.finish(sha256(bytes))), StreamFault::kIncomplete);
  StreamReceiver other(100, sha256(bytes));
  ASSERT_FALSE(other.take(0, bytes));
  EXPECT_EQ(fault(other.finish(sha256(""))), StreamFault::kHash);
  Bytes damaged = bytes;
  damaged[99] ^= std::byte{128};
  StreamReceiver changed(100, sha256(bytes));
  ASSERT_FALSE(changed.take(0, damaged));
  EXPECT_EQ(fault(changed.finish(sha256(bytes))), StreamFault::kHash);
}

TEST(Chunk, ComesOutAsItWentIn) {
  FrameWriter writer;
  Bytes out;
  const Bytes bytes = pattern(kMaxChunkBytes);
  write_chunk(writer, {.stream = 12, .offset = 5'000'000'000'000, .bytes = bytes}, out);
  const auto read = read_frames(out, 100'000);
  const Frame frame = read.frames.at(0).view();
  const auto chunk = std::get<Chunk>(decode_chunk(frame));
  EXPECT_EQ(chunk.stream, 12U);
  EXPECT_EQ(chunk.offset, 5'000'000'000'000);
  EXPECT_EQ(Bytes(chunk.bytes.begin(), chunk.bytes.end()), bytes);
}

TEST(Chunk, RefusesWhatIsNone) {
  const auto refused = [](const std::string& hex) {
    const Bytes body = bytes_of_hex(hex);
    const auto decoded = decode_chunk({.type = MessageType::kChunk, .id = 1, .body = body});
    return std::holds_alternative<Refusal>(decoded);
  };
  EXPECT_FALSE(refused("0100000000000000 0000000000000000 aa"));
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("0100000000000000 0000000000000000"));
  EXPECT_TRUE(refused("0000000000000000 0000000000000000 aa"));
  EXPECT_TRUE(refused("0100000000000000 ffffffffffffff7f aa"));
  EXPECT_TRUE(refused("0100000000000000 00000000000000ff aa"));
}

/// Two uploads and heartbeats, frame by frame in turn, on one connection.
TEST(Stream, StreamsAndMessagesInterleave) {
  const std::vector<Bytes> payloads{pattern(1000), Bytes(700, std::byte{3})};
  FrameWriter writer;
  Bytes wire;
  std::vector<StreamSender> senders;
  for (const auto& payload : payloads) {
    senders.emplace_back(std::ssize(payload), source_of(payload), sha256(payload), 64);
    ASSERT_FALSE(senders.back().start(0, std::ssize(payload)));
  }
  bool more = true;
  while (more) {
    more = false;
    for (std::size_t i = 0; i < senders.size(); ++i) {
      if (const auto piece = senders[i].next()) {
        write_chunk(writer, {.stream = i + 1, .offset = piece->offset, .bytes = piece->bytes},
                    wire);
        more = true;
      }
      writer.write(MessageType::kProgress, encode(Progress{.steps_done = 1}), wire);
    }
  }
  std::vector<StreamReceiver> receivers;
  for (const auto& payload : payloads) receivers.emplace_back(std::ssize(payload), sha256(payload));
  int heartbeats = 0;
  for (const auto& owned : read_frames(wire, 33).frames) {
    const Frame frame = owned.view();
    if (frame.type == MessageType::kProgress) {
      EXPECT_TRUE(std::holds_alternative<Message>(decode(frame, Party::kSite)));
      ++heartbeats;
      continue;
    }
    const auto chunk = std::get<Chunk>(decode_chunk(frame));
    ASSERT_FALSE(receivers.at(chunk.stream - 1).take(chunk.offset, chunk.bytes));
  }
  EXPECT_EQ(heartbeats, 2 * 17);
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_FALSE(receivers[i].finish(sha256(payloads[i])));
  }
}

}  // namespace
}  // namespace convoy::net
