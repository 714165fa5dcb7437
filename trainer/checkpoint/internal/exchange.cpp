// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/exchange.h"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "comm/values.h"

namespace convoy::trainer::internal {

std::vector<std::string> gather_texts(comm::Communicator& communicator, const std::string& text) {
  const auto sizes =
      comm::all_gather_values(communicator, std::vector{static_cast<std::int64_t>(text.size())});
  const auto all = comm::all_gather_values(
      communicator, std::vector<std::uint8_t>(text.begin(), text.end()), sizes);
  std::vector<std::string> texts;
  auto begin = all.begin();
  for (const auto size : sizes) {
    texts.emplace_back(begin, begin + size);
    begin += size;
  }
  return texts;
}

void broadcast_bytes(comm::Communicator& communicator, std::vector<std::byte>& bytes) {
  const auto size =
      comm::broadcast_values(communicator, std::vector{static_cast<std::int64_t>(bytes.size())}, 0);
  // Owned, because a transport may still write after a CommError.
  const auto owned = std::make_shared<std::vector<std::byte>>(std::move(bytes));
  owned->resize(static_cast<std::size_t>(size.front()));
  communicator.broadcast(comm::Buffer(std::span(*owned), comm::DType::kUInt8, owned), 0).wait();
  bytes = std::move(*owned);
}

}  // namespace convoy::trainer::internal
