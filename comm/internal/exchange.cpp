// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/exchange.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace convoy::comm::internal {
namespace {

constexpr std::uint64_t kPhases = 2;

// Of several late peers, the one that is furthest behind: the others may be waiting for it too.
template <typename Streams>
const Stream* furthest_behind(const Streams& streams) {
  const Stream* worst = nullptr;
  for (const auto& stream : streams) {
    if (stream.done()) continue;
    if (worst == nullptr || stream.finished_bytes() < worst->finished_bytes()) worst = &stream;
  }
  return worst;
}

// " (sequence 17)", with the context where there is one.
std::string place_of(const Call& call) {
  if (call.context == 0) return fmt::format(" (sequence {})", call.sequence);
  return fmt::format(" (sequence {}, context {:08x})", call.sequence, call.context);
}

}  // namespace

std::string to_string(const Call& call) {
  std::string text = name(call.kind);
  if (call.kind != Kind::kBarrier) text += fmt::format(" of {} {}", call.numel, name(call.dtype));
  return is_collective(call.kind) ? text + place_of(call) : text;
}

std::string describe(const Call& call, int rank, int size) {
  const std::string what = fmt::format("{} rank {}/{}, {} {}", name(call.kind), rank, size,
                                       call.numel, name(call.dtype));
  return is_collective(call.kind) ? what + place_of(call) : what;
}

void Exchange::set_sequence(std::uint64_t sequence, std::uint32_t context) {
  call_.sequence = sequence;
  if (is_collective()) call_.context = context;
  const auto set_tags = [&](Stream& stream) {
    const int given = stream.route().tag;  // the phase, or the user's tag
    if (is_collective()) {
      stream.set_place(sequence, context);
      const auto phase = static_cast<std::uint64_t>(given);
      const int tag = static_cast<int>((sequence * kPhases + phase) % kTags);
      stream.set_tags(tag, tag);
    } else {
      // Several long messages of one user tag: the sender's count keeps their chunks apart.
      stream.set_tags(given, kUserTags + static_cast<int>(sequence % kUserTags));
    }
  };
  for (auto& stream : ins_) set_tags(stream);
  for (auto& stream : outs_) set_tags(stream);
}

void Exchange::set_priority(int priority) {
  priority_ = priority;
  for (auto& stream : ins_) stream.set_priority(priority);
  for (auto& stream : outs_) stream.set_priority(priority);
}

bool Exchange::advance(Transport& transport) {
  do {
    for (auto& stream : ins_) stream.advance(transport);
    for (auto& stream : outs_) bytes_sent_ += stream.advance(transport);
  } while (step());
  return streams_done();
}

std::uint64_t Exchange::take_bytes_sent() { return std::exchange(bytes_sent_, 0); }

CallMark Exchange::mark() const {
  const bool equal_sizes = call_.kind != Kind::kAllToAll;
  const auto numel = static_cast<std::uint64_t>(call_.numel);
  return {signature(), call_.context, call_.sequence,
          equal_sizes ? numel * element_bytes(call_.dtype) : 0};
}

void Exchange::note_heard(std::span<std::uint64_t> heard_in) const {
  for (const InStream& stream : ins_) {
    auto& heard = heard_in[static_cast<std::size_t>(stream.route().peer)];
    if (stream.has_begun()) heard = std::max(heard, call_.sequence);
  }
}

bool Exchange::awaits(int rank) const {
  const auto is_of = [rank](const InStream& stream) { return stream.route().peer == rank; };
  const auto has_begun = [&](const InStream& in) { return is_of(in) && in.has_begun(); };
  return std::ranges::any_of(ins_, is_of) && std::ranges::none_of(ins_, has_begun);
}

std::string Exchange::describe_delay(std::chrono::milliseconds waited) const {
  const double seconds = static_cast<double>(waited.count()) / 1000.0;
  if (const Stream* in = furthest_behind(ins_)) {
    return fmt::format("no data from rank {} within {:.1f} s (received {} of {} bytes)",
                       in->route().peer, seconds, in->finished_bytes(), in->chunks().total_bytes);
  }
  if (const Stream* out = furthest_behind(outs_)) {
    return fmt::format("rank {} has not taken its data within {:.1f} s (sent {} of {} bytes)",
                       out->route().peer, seconds, out->finished_bytes(),
                       out->chunks().total_bytes);
  }
  return fmt::format("not complete within {:.1f} s", seconds);
}

// Both sides of a point-to-point message say kSend.
Signature Exchange::signature() const {
  return {call_.kind == Kind::kRecv ? Kind::kSend : call_.kind, call_.dtype, call_.op};
}

InStream& Exchange::receive(int peer, int phase, std::span<std::byte> memory,
                            std::size_t total_bytes) {
  return ins_.emplace_back(*layout_.scratch, signature(), Route{peer, Channel::kCollective, phase},
                           memory, total_bytes, layout_.chunk_bytes, layout_.rides_along_bytes);
}

OutStream& Exchange::send(int peer, int phase, std::span<const std::byte> source) {
  return outs_.emplace_back(*layout_.scratch, signature(), Route{peer, Channel::kCollective, phase},
                            source, layout_.chunk_bytes, layout_.rides_along_bytes);
}

void Exchange::receive_from_user(int peer, int tag, std::span<std::byte> memory) {
  ins_.emplace_back(*layout_.scratch, signature(), Route{peer, Channel::kUser, tag}, memory,
                    memory.size(), layout_.max_message_bytes);
}

void Exchange::send_to_user(int peer, int tag, std::span<const std::byte> source) {
  outs_.emplace_back(*layout_.scratch, signature(), Route{peer, Channel::kUser, tag}, source,
                     layout_.max_message_bytes);
}

void Exchange::allow_all() {
  for (auto& stream : ins_) stream.allow(kAllChunks);
  for (auto& stream : outs_) stream.allow(kAllChunks);
}

bool Exchange::streams_done() const {
  const auto done = [](const Stream& stream) { return stream.done(); };
  return std::all_of(ins_.begin(), ins_.end(), done) &&
         std::all_of(outs_.begin(), outs_.end(), done);
}

}  // namespace convoy::comm::internal
