// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <span>
#include <vector>

#include "scheduler/net/message_codec.h"

/// The first two bytes are the type, the third says who sends it; the rest is the body. It is
/// refused, or a message that comes out again as it went in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::net;
  if (size < 3) return 0;
  const auto type = static_cast<MessageType>(data[0] | data[1] << 8);
  const auto sender = static_cast<Party>(1 + data[2] % 3);
  const auto input = std::as_bytes(std::span(data, size)).subspan(3);
  const std::vector<std::byte> body(input.begin(), input.end());
  const auto decoded = decode(Frame{.type = type, .id = 1, .body = body}, sender);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) {
    (void)encode(*refusal);  // which throws for a text that is not fit to be sent
    return 0;
  }
  const auto& message = std::get<Message>(decoded);
  const auto again = encode(message);
  const auto twice = decode(Frame{.type = type, .id = 1, .body = again}, sender);
  if (type_of(message) != type || std::get<Message>(twice) != message) std::abort();
  return 0;
}
