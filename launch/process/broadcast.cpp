// SPDX-License-Identifier: Apache-2.0
#include "launch/process/broadcast.h"

#include <cstdint>
#include <vector>

namespace convoy::launch {

std::string broadcast_text(comm::Communicator& communicator, const std::string& text, int root) {
  auto length = static_cast<std::int64_t>(text.size());
  communicator.broadcast(std::span(&length, 1), root).wait();
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.resize(static_cast<std::size_t>(length));
  communicator.broadcast(std::span(bytes), root).wait();
  return {bytes.begin(), bytes.end()};
}

}  // namespace convoy::launch
