// SPDX-License-Identifier: Apache-2.0
// What a receiver makes of a first message that no sender of ours writes: it comes off the network.
#include "comm/internal/stream.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::tests {
namespace {

using comm::DType;
using comm::internal::Header;
using comm::internal::InStream;
using comm::internal::kAllChunks;
using comm::internal::Kind;
using comm::internal::kRidesAlongBytes;
using comm::internal::Message;
using comm::internal::Signature;
using comm::internal::Transport;
using comm::internal::TransportError;
using comm::internal::Wakeup;

constexpr Signature kSignature{.kind = Kind::kSend, .dtype = DType::kFloat32};
constexpr std::size_t kChunk = 4096;

/// Receives what the test hands over.
class HandFed final : public Transport {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 2; }
  [[nodiscard]] std::string_view backend() const override { return "hand"; }
  [[nodiscard]] std::size_t max_message_bytes() const override { return SIZE_MAX; }
  void isend(Message&) override {}
  void irecv(Message& message) override { asked.push_back(&message); }
  void progress() override {}
  [[nodiscard]] Wakeup& wakeup() override { return wakeup_; }
  [[nodiscard]] Naps naps() const override { return {}; }
  void leave(const std::string&) override {}
  [[nodiscard]] bool leave_releases_memory() const override { return true; }
  [[nodiscard]] std::unique_ptr<Transport> split(const comm::internal::SplitGroup&) override {
    return nullptr;
  }

  std::vector<Message*> asked;

 private:
  Wakeup wakeup_;
};

/// A receiver of so many bytes gets a header with `change` made and a message of `bytes`; what it
/// says, or "" where it goes on.
std::string verdict(std::size_t total_bytes, const std::function<void(Header&)>& change,
                    std::optional<std::size_t> bytes = std::nullopt) {
  std::vector<std::byte> memory(total_bytes);
  HandFed transport;
  comm::internal::ScratchPool pool;
  InStream stream(pool, kSignature, {.peer = 1}, memory, total_bytes, kChunk);
  stream.allow(kAllChunks);
  stream.advance(transport);
  EXPECT_EQ(transport.asked.size(), 1U) << "chunks are not asked for before the header agrees";
  Header header{.total_bytes = total_bytes, .chunk_bytes = kChunk, .signature = kSignature};
  change(header);
  Message& first = *transport.asked.front();
  std::memcpy(first.target.data(), &header, sizeof(header));
  const std::size_t right =
      sizeof(Header) + (total_bytes <= kRidesAlongBytes ? total_bytes : std::size_t{0});
  first.finish(bytes.value_or(right));
  try {
    stream.advance(transport);
  } catch (const TransportError& error) {
    return error.what();
  }
  return "";
}

void nothing(Header&) {}

TEST(Stream, GoesOnWithAHeaderThatAgrees) {
  EXPECT_EQ(verdict(16, nothing), "");
  EXPECT_EQ(verdict(0, nothing), "");
  EXPECT_EQ(verdict(3 * kChunk, nothing), "");
}

TEST(Stream, RefusesChunksOfNoBytes) {
  const auto none = [](Header& header) { header.chunk_bytes = 0; };
  for (const std::size_t total : {std::size_t{0}, std::size_t{16}, 3 * kChunk}) {
    EXPECT_EQ(verdict(total, none), "rank 1 has chunk_bytes 0 where this rank has 4096") << total;
  }
}

TEST(Stream, RefusesAFirstMessageThatIsNoHeader) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, sizeof(Header) - 1}) {
    EXPECT_EQ(verdict(16, nothing, bytes),
              "rank 1 sent " + std::to_string(bytes) + " bytes where 40 were expected");
  }
  const std::size_t too_long = sizeof(Header) + kRidesAlongBytes + 1;
  EXPECT_EQ(verdict(3 * kChunk, nothing, too_long),
            "rank 1 sent " + std::to_string(too_long) + " bytes where 40 were expected");
}

/// Else it would read past what came, or leave half of it undefined.
TEST(Stream, RefusesAnotherSizeOfWhatRidesAlong) {
  for (const std::size_t bytes : {40, 55, 57}) {
    EXPECT_EQ(verdict(16, nothing, bytes),
              "rank 1 sent " + std::to_string(bytes) + " bytes where 56 were expected");
  }
  EXPECT_EQ(verdict(3 * kChunk, nothing, 41), "rank 1 sent 41 bytes where 40 were expected")
      << "nothing rides along with long ones";
}

}  // namespace
}  // namespace convoy::tests
