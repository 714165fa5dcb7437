// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/exchange.h"

#include <cstdint>
#include <numeric>
#include <span>

namespace convoy::trainer::internal {
namespace {

/// Fits `container` to rank 0's size and contents.
template <typename Container>
void broadcast(comm::Communicator& communicator, Container& container) {
  auto size = static_cast<std::int64_t>(container.size());
  communicator.broadcast(std::span(&size, 1), 0).wait();
  container.resize(static_cast<std::size_t>(size));
  const comm::Buffer values(std::as_writable_bytes(std::span(container)), comm::DType::kUInt8);
  communicator.broadcast(values, 0).wait();
}

}  // namespace

std::vector<std::string> gather_texts(comm::Communicator& communicator, const std::string& text) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const auto size = static_cast<std::int64_t>(text.size());
  std::vector<std::int64_t> sizes(ranks);
  communicator.all_gather(std::span(&size, 1), std::span(sizes)).wait();
  std::string all(static_cast<std::size_t>(std::reduce(sizes.begin(), sizes.end())), '\0');
  const comm::ConstBuffer piece(std::as_bytes(std::span(text)), comm::DType::kUInt8);
  const comm::Buffer values(std::as_writable_bytes(std::span(all)), comm::DType::kUInt8);
  communicator.all_gather_v(piece, values, sizes).wait();
  std::vector<std::string> texts;
  std::size_t begin = 0;
  for (const auto length : sizes) {
    texts.push_back(all.substr(begin, static_cast<std::size_t>(length)));
    begin += static_cast<std::size_t>(length);
  }
  return texts;
}

void broadcast_bytes(comm::Communicator& communicator, std::vector<std::byte>& bytes) {
  broadcast(communicator, bytes);
}

std::string broadcast_text(comm::Communicator& communicator, std::string text) {
  broadcast(communicator, text);
  return text;
}

}  // namespace convoy::trainer::internal
