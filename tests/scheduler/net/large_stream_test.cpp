// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/large_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "scheduler/net/chunk.h"
#include "scheduler/net/frame_reader.h"
#include "tests/scheduler/net/streams.h"

namespace convoy::net {
namespace {

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
  const TensorManifest manifest = large_manifest();
  ASSERT_EQ(data_bytes(manifest), 5 * kGiB);
  const std::int64_t bytes = stream_bytes(manifest);

  StreamSender sender(bytes, tensor_source(manifest, generate));
  const Sha256 digest = large_sha256();
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
