// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/stream.h"

#include <spdlog/fmt/fmt.h>

#include <cstring>

namespace convoy::comm::internal {
namespace {

constexpr std::array kNames{"all_reduce", "reduce_scatter", "all_gather", "all_to_all",
                            "broadcast",  "barrier",        "send",       "recv"};

const char* verb(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sums";
    case ReduceOp::kMin:
      return "takes the minimum";
    case ReduceOp::kMax:
      return "takes the maximum";
    case ReduceOp::kMean:
      return "takes the mean";
  }
  return "does something unknown";
}

std::string wrong_size(int peer, std::size_t received, std::size_t expected) {
  return fmt::format("rank {} sent {} bytes where {} were expected", peer, received, expected);
}

[[noreturn]] void throw_wrong_size(int peer, std::size_t received, std::size_t expected) {
  throw TransportError(wrong_size(peer, received, expected));
}

// Where in the common order the other side is.
std::string place_of(const CallMark& theirs, const CallMark& own) {
  if (theirs.sequence == 0) return "";
  if (theirs.context == own.context) return fmt::format(" (its sequence {})", theirs.sequence);
  return fmt::format(" (its sequence {}, its context {:08x} where this rank has {:08x})",
                     theirs.sequence, theirs.context, own.context);
}

}  // namespace

const char* name(Kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kNames.size() ? kNames[index] : "an unknown operation";
}

void check_agreement(int peer, const CallMark& theirs, const CallMark& own) {
  const auto differs = [&](const std::string& how) {
    return TransportError(how + place_of(theirs, own));
  };
  const Signature& other = theirs.signature;
  const Signature& ours = own.signature;
  if (other.kind != ours.kind) {
    throw differs(fmt::format("rank {} calls {} here, of {} bytes", peer, name(other.kind),
                              theirs.total_bytes));
  }
  if (other.dtype != ours.dtype) {
    throw differs(fmt::format("rank {} has {} elements where this rank has {}", peer,
                              name(other.dtype), name(ours.dtype)));
  }
  if (other.op != ours.op) {
    throw differs(
        fmt::format("rank {} {} where this rank {}", peer, verb(other.op), verb(ours.op)));
  }
  if (theirs.total_bytes != own.total_bytes) {
    throw differs(wrong_size(peer, theirs.total_bytes, own.total_bytes));
  }
  if (theirs.context != own.context || theirs.sequence != own.sequence) {
    throw differs(
        fmt::format("rank {} calls {} of {} bytes", peer, name(other.kind), theirs.total_bytes));
  }
}

Stream::Stream(ScratchPool& pool, Signature signature, Route route, Chunks chunks,
               std::size_t rides_along_bytes)
    : route_(route),
      chunks_(chunks),
      header_{.total_bytes = chunks.total_bytes,
              .chunk_bytes = chunks.chunk_bytes,
              .signature = signature,
              .chunk_tag = route.tag},
      lead_(chunks.count() == 1 && chunks.total_bytes <= rides_along_bytes ? 0 : 1),
      first_message_(
          pool.take(sizeof(Header) + (rides_along() ? std::max(chunks.total_bytes, kRidesAlongBytes)
                                                    : kRidesAlongBytes))) {}

bool Stream::may_start() const {
  // A header may travel before its chunks: those are then asked for when they can come, and a
  // turn on a busy link is saved.
  return (allowed_ > 0 || header_is_next()) && started_ < allowed_ + lead_ &&
         flight_.size() < chunks_ahead(chunks_.chunk_bytes);
}

Message& Stream::start_message() {
  Message& message = flight_.emplace_back();
  message.route = route_;
  message.priority = priority_;
  if (started_ > 0) {
    message.route.tag = header_.chunk_tag;
    message.is_expected = true;  // the header has announced it
  }
  ++started_;
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

OutStream::OutStream(ScratchPool& pool, Signature signature, Route route,
                     std::span<const std::byte> source, std::size_t chunk_bytes,
                     std::size_t rides_along_bytes)
    : Stream(pool, signature, route, {source.size(), chunk_bytes}, rides_along_bytes),
      source_(source) {}

std::size_t OutStream::advance(Transport& transport) {
  std::size_t handed_over = 0;
  retire_finished();
  // A message may be over as soon as it has started, and then nothing would call again.
  while (may_start()) {
    const bool is_header = header_is_next();
    if (!is_header || rides_along()) handed_over += next_chunk_bytes().size();
    const auto bytes = is_header ? write_first_message() : next_chunk_bytes();
    Message& message = start_message();
    message.source = bytes;
    transport.isend(message);
    retire_finished();
  }
  return handed_over;
}

std::span<const std::byte> OutStream::next_chunk_bytes() const {
  return source_.subspan(chunks().offset(next_chunk()), chunks().bytes(next_chunk()));
}

std::span<const std::byte> OutStream::write_first_message() {
  const auto message = first_message();
  std::memcpy(message.data(), &header(), sizeof(Header));
  if (!rides_along()) return message.first(sizeof(Header));
  if (!source_.empty()) std::memcpy(&message[sizeof(Header)], source_.data(), source_.size());
  return message.first(sizeof(Header) + source_.size());
}

void OutStream::retire_finished() {
  while (oldest_finished() != nullptr) retire();
}

InStream::InStream(ScratchPool& pool, Signature signature, Route route, std::span<std::byte> memory,
                   std::size_t total_bytes, std::size_t chunk_bytes, std::size_t rides_along_bytes)
    : Stream(pool, signature, route, {total_bytes, chunk_bytes}, rides_along_bytes),
      memory_(memory),
      slots_(memory.size() >= total_bytes ? chunks().count() : memory.size() / chunk_bytes) {}

std::span<std::byte> InStream::chunk(std::size_t i) const {
  return memory_.subspan(chunks().offset(i % slots_), chunks().bytes(i));
}

void InStream::advance(Transport& transport) {
  retire_finished();
  // Chunks are asked for only when the header has agreed to them.
  while (may_start() && (header_is_next() || !header_is_oldest())) {
    const auto target = header_is_next() ? first_message() : chunk(next_chunk());
    Message& message = start_message();
    message.target = target;
    transport.irecv(message);
    retire_finished();
  }
}

void InStream::retire_finished() {
  while (const Message* oldest = oldest_finished()) {
    if (header_is_oldest()) {
      accept_first_message(oldest->received_bytes);
    } else if (oldest->received_bytes != oldest->target.size()) {
      throw_wrong_size(route().peer, oldest->received_bytes, oldest->target.size());
    }
    retire();
  }
}

void InStream::accept_first_message(std::size_t received_bytes) {
  const auto message = first_message();
  if (received_bytes < sizeof(Header) || received_bytes > message.size()) {
    throw_wrong_size(route().peer, received_bytes, sizeof(Header));
  }
  Header theirs;
  std::memcpy(&theirs, message.data(), sizeof(Header));
  check_agreement(theirs);
  const std::size_t whole = sizeof(Header) + (rides_along() ? chunks().total_bytes : 0);
  if (received_bytes != whole) throw_wrong_size(route().peer, received_bytes, whole);
  header().chunk_tag = theirs.chunk_tag;
  if (rides_along() && chunks().total_bytes > 0) {
    std::memcpy(chunk(0).data(), &message[sizeof(Header)], chunks().total_bytes);
  }
}

void InStream::check_agreement(const Header& theirs) const {
  const int peer = route().peer;
  internal::check_agreement(peer, theirs.mark(), header().mark());
  if (theirs.chunk_bytes == 0 ||
      Chunks{theirs.total_bytes, theirs.chunk_bytes}.count() != chunks().count() ||
      (chunks().count() > 1 && theirs.chunk_bytes != chunks().chunk_bytes)) {
    throw TransportError(fmt::format("rank {} has chunk_bytes {} where this rank has {}", peer,
                                     theirs.chunk_bytes, chunks().chunk_bytes));
  }
}

}  // namespace convoy::comm::internal
