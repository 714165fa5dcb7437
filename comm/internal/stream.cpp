// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/stream.h"

#include <string>

namespace convoy::comm::internal {
namespace {

[[noreturn]] void throw_size_mismatch(int peer, std::size_t expected, std::size_t received) {
  throw TransportError("rank " + std::to_string(peer) + " sent " + std::to_string(received) +
                       " bytes where " + std::to_string(expected) + " were expected");
}

}  // namespace

Stream::Stream(Route route, Chunks chunks, std::size_t window)
    : route_(route),
      chunks_(chunks),
      window_(window),
      lead_(chunks.count() > 1 ? 1 : 0),
      announced_bytes_(chunks.total_bytes) {}

bool Stream::may_start() const {
  return allowed_ > 0 && started_ < allowed_ + lead_ && flight_.size() < window_;
}

Message& Stream::next_message() {
  Message& message = flight_.emplace_back();
  message.route = route_;
  return message;
}

const Message* Stream::oldest_finished() const {
  if (flight_.empty()) return nullptr;
  const Message& oldest = flight_.front();
  const auto state = oldest.state.load(std::memory_order_acquire);
  if (state == Message::State::kFailed) throw TransportError(oldest.error, oldest.peer_left);
  return state == Message::State::kDone ? &oldest : nullptr;
}

void Stream::retire() {
  flight_.pop_front();
  ++retired_;
}

OutStream::OutStream(Route route, std::span<const std::byte> source, std::size_t chunk_bytes,
                     std::size_t window)
    : Stream(route, {source.size(), chunk_bytes}, window), source_(source) {}

std::size_t OutStream::advance(Transport& transport) {
  std::size_t handed_over = 0;
  retire_finished();
  // A message may be over as soon as it has started, and then nothing would call again.
  while (may_start()) {
    Message& message = next_message();
    if (next_is_announcement()) {
      message.source = announcement();
    } else {
      message.source = source_.subspan(chunks().offset(next_chunk()), chunks().bytes(next_chunk()));
      handed_over += message.source.size();
    }
    count_start();
    transport.isend(message);
    retire_finished();
  }
  return handed_over;
}

void OutStream::retire_finished() {
  while (oldest_finished() != nullptr) retire();
}

InStream::InStream(Route route, std::span<std::byte> memory, std::size_t total_bytes,
                   std::size_t chunk_bytes, std::size_t window)
    : Stream(route, {total_bytes, chunk_bytes}, window),
      memory_(memory),
      slots_(memory.size() >= total_bytes ? chunks().count() : memory.size() / chunk_bytes) {}

std::span<std::byte> InStream::chunk(std::size_t i) const {
  return memory_.subspan(chunks().offset(i % slots_), chunks().bytes(i));
}

void InStream::advance(Transport& transport) {
  retire_finished();
  while (may_start()) {
    Message& message = next_message();
    message.target = next_is_announcement() ? announcement() : chunk(next_chunk());
    count_start();
    transport.irecv(message);
    retire_finished();
  }
}

void InStream::retire_finished() {
  while (const Message* oldest = oldest_finished()) {
    check_oldest(*oldest);
    retire();
  }
}

void InStream::check_oldest(const Message& message) const {
  if (message.received_bytes != message.target.size()) {
    // A single message where a total was announced says the whole size itself, and the reverse.
    throw_size_mismatch(route().peer,
                        oldest_is_announcement() ? chunks().total_bytes : message.target.size(),
                        message.received_bytes);
  }
  if (oldest_is_announcement() && announced_bytes() != chunks().total_bytes) {
    throw_size_mismatch(route().peer, chunks().total_bytes, announced_bytes());
  }
}

}  // namespace convoy::comm::internal
