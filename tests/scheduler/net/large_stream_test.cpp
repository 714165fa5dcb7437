// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "base/sha256.h"
#include "scheduler/net/chunk.h"
#include "scheduler/net/frame_reader.h"
#include "tests/scheduler/net/streams.h"

namespace convoy::net {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
/// Of the stream below, from a few lines of Python that know nothing of this program.
constexpr const char* kSha256 = "0f1f0f26dbdfe79f963d3b8ca80595d7fc18d9041e9afd5c26211a07a3fa537e";

/// A line of /proc/self/status, in bytes.
std::int64_t memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
  }
  return -1;
}

/// Every 4 KiB begin with their own number; the rest of them is one byte over and over.
void generate(std::int64_t offset, std::span<std::byte> out) {
  constexpr std::int64_t kBlock = 4096;
  while (!out.empty()) {
    const std::int64_t number = offset / kBlock;
    const std::int64_t start = offset % kBlock;
    const auto count = static_cast<std::size_t>(std::min(kBlock - start, std::ssize(out)));
    std::memset(out.data(), static_cast<int>(number % 251), count);
    for (std::int64_t i = start; i < 8 && i - start < static_cast<std::int64_t>(count); ++i) {
      out[static_cast<std::size_t>(i - start)] = static_cast<std::byte>(number >> (8 * i));
    }
    out = out.subspan(count);
    offset += static_cast<std::int64_t>(count);
  }
}

/// Counts, and looks at the number that stands at the front of what it gets now and then.
struct DiscardingSink : TensorSink {
  std::optional<StreamError> begin(const TensorManifest& manifest) override {
    starts.assign(manifest.tensors.size(), 0);
    for (std::size_t i = 1; i < starts.size(); ++i) {
      starts[i] = starts[i - 1] + bytes_of(manifest.tensors[i - 1]);
    }
    return std::nullopt;
  }
  void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) override {
    const std::int64_t place = starts[tensor] + offset;
    if (place != bytes_seen) in_order = false;
    bytes_seen += std::ssize(bytes);
    const std::int64_t block = (place + 4095) / 4096;
    const std::int64_t at = block * 4096 - place;
    if (at + 8 > std::ssize(bytes)) return;
    std::int64_t number = -1;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    if (number != block) in_order = false;
  }
  std::vector<std::int64_t> starts;
  std::int64_t bytes_seen = 0;
  bool in_order = true;
};

/// One connection: the sender's frames go straight into a reader.
class Link {
 public:
  Link(StreamSender& sender, StreamReceiver& receiver, TensorReader& tensors)
      : sender_(sender), receiver_(receiver), tensors_(tensors) {}

  /// @param limit  the link is cut when the receiver has so many bytes.
  void run(std::int64_t limit) {
    ASSERT_FALSE(sender_.start(receiver_.received(), limit));
    while (const auto piece = sender_.next()) {
      wire_.clear();
      write_chunk(writer_, {.stream = 1, .offset = piece->offset, .bytes = piece->bytes}, wire_);
      std::span<const std::byte> rest(wire_);
      const auto frame = reader_.next(rest);
      ASSERT_TRUE(frame.has_value());
      const auto chunk = std::get<Chunk>(decode_chunk(*frame));
      ASSERT_FALSE(receiver_.take(chunk.offset, chunk.bytes));
      ASSERT_FALSE(tensors_.feed(chunk.bytes));
    }
  }

 private:
  StreamSender& sender_;
  StreamReceiver& receiver_;
  TensorReader& tensors_;
  FrameWriter writer_;
  FrameReader reader_;
  Bytes wire_;
};

TEST(LargeStream, FiveGiBAreCutBeyondFourAndGoOnInBoundedMemory) {
  const TensorManifest manifest{{{"first", ElementType::kFloat32, {1000, 333}},
                                 {"large", ElementType::kFloat32, {9 * kGiB / 8}},
                                 {"last", ElementType::kUInt8, {kGiB / 2 - 1332000}}}};
  ASSERT_EQ(data_bytes(manifest), 5 * kGiB);
  const std::int64_t bytes = stream_bytes(manifest);

  StreamSender sender(bytes, tensor_source(manifest, generate));
  const Sha256 digest = sha256_from_hex(kSha256).value();
  StreamReceiver receiver(bytes, digest);
  DiscardingSink sink;
  TensorReader tensors(bytes, sink);

  const std::int64_t before = memory("VmHWM");
  ASSERT_GT(before, 0);
  Link(sender, receiver, tensors).run(4 * kGiB + 12345);
  EXPECT_EQ(receiver.received(), 4 * kGiB + 12345);
  EXPECT_FALSE(sender.at_end());
  Link(sender, receiver, tensors).run(bytes);
  EXPECT_TRUE(sender.at_end());
  EXPECT_TRUE(receiver.is_complete());
  EXPECT_EQ(sender.digest(), digest);
  EXPECT_FALSE(receiver.finish(sender.digest()));
  EXPECT_FALSE(tensors.finish());
  EXPECT_EQ(sink.bytes_seen, 5 * kGiB);
  EXPECT_TRUE(sink.in_order);
  const std::int64_t grown = memory("VmHWM") - before;
  RecordProperty("extra_bytes", std::to_string(grown));
  EXPECT_LT(grown, 8 << 20) << "both ends together";
}

}  // namespace
}  // namespace convoy::net
