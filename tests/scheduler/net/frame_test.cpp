// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "scheduler/net/frame_reader.h"
#include "scheduler/net/frame_writer.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {
namespace {

constexpr auto kTypeA = MessageType::kProgress;
constexpr auto kTypeB = MessageType::kGoodbye;

/// Three frames: with a body, without one, with a longer one.
Bytes three_frames() {
  FrameWriter writer;
  Bytes out;
  writer.write(kTypeA, bytes_of_text("alive"), out);
  writer.write(kTypeB, {}, out, 77);
  writer.write(kTypeA, Bytes(300, std::byte{9}), out);
  return out;
}

std::vector<OwnedFrame> three_expected() {
  return {{.type = kTypeA, .id = 1, .body = bytes_of_text("alive")},
          {.type = kTypeB, .id = 2, .answers = 77},
          {.type = kTypeA, .id = 3, .body = Bytes(300, std::byte{9})}};
}

FrameFault fault_of(const ReadFrames& read) {
  EXPECT_TRUE(read.error.has_value());
  return read.error ? read.error->fault : FrameFault{255};
}

/// A header whose checksums fit, whatever it says.
Bytes header_with(std::size_t at, std::uint64_t value, std::size_t bytes) {
  FrameWriter writer;
  Bytes frame;
  writer.write(kTypeA, bytes_of_text("alive"), frame);
  std::memcpy(frame.data() + at, &value, bytes);
  Bytes sealed(frame.begin(), frame.begin() + 36);
  // The writer's own header check, over other bytes: an independent XXH3 stands in the document's
  // examples.
  const auto check = static_cast<std::uint32_t>(hash64(sealed));
  std::memcpy(frame.data() + 36, &check, sizeof check);
  return frame;
}

TEST(Frame, ComeOutAsTheyWentInWhateverTheSizeOfThePieces) {
  const Bytes bytes = three_frames();
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto read = read_frames(bytes, piece);
    ASSERT_EQ(read.frames, three_expected()) << piece;
    ASSERT_FALSE(read.error) << piece;
  }
}

TEST(Frame, MayBeCutAnywhere) {
  const Bytes bytes = three_frames();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameReader reader;
    std::size_t frames = 0;
    for (auto part : {std::span<const std::byte>(bytes).first(cut),
                      std::span<const std::byte>(bytes).subspan(cut)}) {
      while (reader.next(part)) ++frames;
      ASSERT_TRUE(part.empty());
    }
    reader.finish();
    ASSERT_EQ(frames, 3U) << cut;
    ASSERT_FALSE(reader.error()) << cut;
  }
}

TEST(Frame, EveryTruncationIsTold) {
  const Bytes bytes = three_frames();
  const std::vector<std::size_t> ends{0, 45, 85, bytes.size()};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto read = read_frames(std::span(bytes).first(size), bytes.size());
    const bool is_end = std::find(ends.begin(), ends.end(), size) != ends.end();
    ASSERT_EQ(read.error.has_value(), !is_end) << size;
    if (!is_end) {
      ASSERT_EQ(read.error->fault, FrameFault::kTruncated) << size;
    }
  }
}

TEST(Frame, NoFlippedBitGoesUnseen) {
  const Bytes good = three_frames();
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto read = read_frames(bad, 64);
    ASSERT_TRUE(read.error) << bit;
    ASSERT_LT(read.frames.size(), 3U) << bit;
    for (std::size_t i = 0; i < read.frames.size(); ++i) {
      ASSERT_EQ(read.frames[i], three_expected()[i]) << bit;
    }
    const std::size_t in_frame = bit / 8 < 45   ? bit / 8
                                 : bit / 8 < 85 ? bit / 8 - 45
                                                : bit / 8 - 85;
    ASSERT_EQ(read.error->fault, in_frame < 4 ? FrameFault::kGarbage : FrameFault::kDamaged) << bit;
  }
}

TEST(Frame, GarbageIsRefusedAtItsFirstWrongByte) {
  for (const std::string text : {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "C", "CVX", "CVY\x02"}) {
    const Bytes bytes = bytes_of_text(text);
    FrameReader reader;
    std::span<const std::byte> rest(bytes);
    EXPECT_FALSE(reader.next(rest));
    if (text == "C") {
      EXPECT_FALSE(reader.error());
      continue;
    }
    ASSERT_TRUE(reader.error()) << text;
    EXPECT_EQ(reader.error()->fault, FrameFault::kGarbage) << text;
  }
}

TEST(Frame, TheFirstErrorIsTheLastThingRead) {
  Bytes bytes = three_frames();
  bytes[50] ^= std::byte{1};
  FrameReader reader;
  std::span<const std::byte> rest(bytes);
  EXPECT_TRUE(reader.next(rest));
  EXPECT_FALSE(reader.next(rest));
  const std::string reason = reader.error().value().reason;
  const Bytes good = three_frames();
  rest = good;
  EXPECT_FALSE(reader.next(rest));
  EXPECT_EQ(rest.size(), good.size());
  reader.finish();
  EXPECT_EQ(reader.error().value().reason, reason);
}

TEST(Frame, OversizedLengthsAreRefusedByTheHeaderAlone) {
  for (const std::uint64_t length : {std::uint64_t{65537}, std::uint64_t{0xffffffff}}) {
    const auto header = header_with(24, length, 4);
    FrameReader reader;
    auto rest = std::span<const std::byte>(header).first(kFrameHeaderBytes);
    EXPECT_FALSE(reader.next(rest));
    ASSERT_TRUE(reader.error()) << length;
    EXPECT_EQ(reader.error()->fault, FrameFault::kOversized);
    EXPECT_LT(reader.memory_bytes(), 1000U);
  }
}

TEST(Frame, LimitsAreOfTheKindOfMessage) {
  const FrameLimits limits{.control_bytes = 100, .chunk_bytes = 1000};
  const auto read = [&](MessageType type, std::size_t bytes) {
    FrameWriter writer;
    Bytes out;
    writer.write(type, Bytes(bytes), out);
    return read_frames(out, 4096, limits);
  };
  EXPECT_EQ(read(kTypeA, 100).frames.size(), 1U);
  EXPECT_EQ(fault_of(read(kTypeA, 101)), FrameFault::kOversized);
  EXPECT_EQ(read(MessageType::kChunk, 1016).frames.size(), 1U);
  EXPECT_EQ(fault_of(read(MessageType::kChunk, 1017)), FrameFault::kOversized);
  EXPECT_EQ(fault_of(read(static_cast<MessageType>(9999), 101)), FrameFault::kOversized);
  EXPECT_THROW(FrameReader(FrameLimits{.chunk_bytes = kMaxChunkBytes + 1}), ContractError);
}

TEST(Frame, WriterSendsNothingThatIsTooLarge) {
  FrameWriter writer;
  Bytes out;
  EXPECT_THROW(writer.write(kTypeA, Bytes(65537), out), ContractError);
  EXPECT_THROW(writer.write(MessageType::kChunk, Bytes(kMaxChunkBytes + 17), out), ContractError);
  EXPECT_EQ(writer.write(MessageType::kChunk, Bytes(kMaxChunkBytes + 16), out), 1U);
}

TEST(Frame, ReplayedAndReorderedFramesAreRefused) {
  const Bytes bytes = three_frames();
  const Bytes first(bytes.begin(), bytes.begin() + 45);
  const Bytes second(bytes.begin() + 45, bytes.begin() + 85);
  Bytes twice = first;
  twice.insert(twice.end(), first.begin(), first.end());
  EXPECT_EQ(fault_of(read_frames(twice, 7)), FrameFault::kReplayed);
  Bytes swapped = second;
  swapped.insert(swapped.end(), first.begin(), first.end());
  EXPECT_EQ(fault_of(read_frames(swapped, 7)), FrameFault::kReplayed);
  EXPECT_EQ(read_frames(swapped, 7).frames.size(), 1U);
  EXPECT_EQ(fault_of(read_frames(header_with(8, 0, 8), 7)), FrameFault::kReplayed);
}

TEST(Frame, GapsInTheRequestIdsAreAllowed) {
  EXPECT_EQ(read_frames(header_with(8, 1'000'000'000'000, 8), 7).frames.at(0).id,
            1'000'000'000'000U);
}

TEST(Frame, FlagsOfLaterVersionsAreRefused) {
  EXPECT_EQ(fault_of(read_frames(header_with(6, 1, 2), 7)), FrameFault::kUnsupported);
}

TEST(Frame, UnknownTypesComeOut) {
  const auto read = read_frames(header_with(4, 60000, 2), 7);
  ASSERT_EQ(read.frames.size(), 1U);
  EXPECT_FALSE(is_known(read.frames[0].type));
}

TEST(Frame, ReaderHoldsNoMoreThanHasArrivedNorThanOneFrame) {
  FrameWriter writer;
  Bytes out;
  writer.write(MessageType::kChunk, Bytes(kChunkHeaderBytes + kMaxChunkBytes), out);
  FrameReader reader;
  std::span<const std::byte> rest(out);
  std::size_t fed = 0;
  while (!rest.empty()) {
    auto piece = rest.first(std::min<std::size_t>(1000, rest.size()));
    fed += piece.size();
    rest = rest.subspan(piece.size());
    (void)reader.next(piece);
    ASSERT_LE(reader.memory_bytes(), 2 * fed + sizeof(reader) + 1000);
    ASSERT_LE(reader.memory_bytes(), kChunkHeaderBytes + kMaxChunkBytes + sizeof(reader));
  }
}

TEST(Frame, SealFillsInTheHeaderOfABodyInItsPlace) {
  FrameWriter a;
  FrameWriter b;
  Bytes written;
  a.write(kTypeA, bytes_of_text("alive"), written, 5);
  Bytes sealed(kFrameHeaderBytes);
  const Bytes body = bytes_of_text("alive");
  sealed.insert(sealed.end(), body.begin(), body.end());
  EXPECT_EQ(b.next_id(), 1U);
  EXPECT_EQ(b.seal(kTypeA, sealed, 5), 1U);
  EXPECT_EQ(b.next_id(), 2U);
  EXPECT_EQ(sealed, written);
}

}  // namespace
}  // namespace convoy::net
