// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/marks.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "base/errors.h"
#include "comm/internal/engine.h"
#include "comm/nccl/internal/pending_call.h"

namespace convoy::comm::nccl {
namespace {

const char* name(Device device) { return device == Device::kHost ? "host" : "device"; }

}  // namespace

Marks::Marks(std::unique_ptr<Communicator> messages)
    : messages_(std::move(messages)), heard_in_(static_cast<std::size_t>(messages_->size())) {}

Marks::~Marks() {
  messages_.reset();
  for (auto& [sequence, round] : rounds_) {
    for (Request& request : round.sent) drop_request(request);
    for (Request& request : round.received) drop_request(request);
  }
}

Marks::Words Marks::pack(const internal::CallMark& mark, Device device) {
  const auto byte = [](auto value, int at) {
    return static_cast<std::uint64_t>(value) << (8 * at);
  };
  const std::uint64_t first = byte(mark.signature.kind, 0) | byte(mark.signature.dtype, 1) |
                              byte(mark.signature.op, 2) | byte(device, 3) | byte(mark.context, 4);
  return {static_cast<std::int64_t>(first), static_cast<std::int64_t>(mark.sequence),
          static_cast<std::int64_t>(mark.total_bytes), 0};
}

internal::CallMark Marks::unpack(const Words& words) {
  const auto first = static_cast<std::uint64_t>(words[0]);
  const auto byte = [&](int at) { return static_cast<std::uint8_t>(first >> (8 * at)); };
  return {.signature = {.kind = static_cast<internal::Kind>(byte(0)),
                        .dtype = static_cast<DType>(byte(1)),
                        .op = static_cast<ReduceOp>(byte(2))},
          .context = static_cast<std::uint32_t>(first >> 32),
          .sequence = static_cast<std::uint64_t>(words[1]),
          .total_bytes = static_cast<std::uint64_t>(words[2])};
}

void Marks::announce(const internal::CallMark& own, Device device) {
  const int ranks = messages_->size();
  Round& round = rounds_[own.sequence];
  round.own = own;
  round.device = device;
  round.words = std::make_shared<std::vector<Words>>(static_cast<std::size_t>(ranks));
  round.sent.resize(static_cast<std::size_t>(ranks));
  round.received.resize(static_cast<std::size_t>(ranks));
  round.heard.resize(static_cast<std::size_t>(ranks));
  const auto tag = static_cast<int>(own.sequence % internal::kUserTags);
  const auto mine = static_cast<std::size_t>(messages_->rank());
  (*round.words)[mine] = pack(own, device);
  for (std::size_t r = 0; r < round.sent.size(); ++r) {
    if (r == mine) continue;
    const auto peer = static_cast<int>(r);
    const std::span<const std::int64_t> out((*round.words)[mine]);
    round.received[r] =
        messages_->recv(Buffer(std::span((*round.words)[r]), round.words), peer, tag);
    round.sent[r] = messages_->send(ConstBuffer(out, round.words), peer, tag);
  }
}

void Marks::check(int peer, const Words& theirs, const Round& round) {
  internal::check_agreement(peer, unpack(theirs), round.own);
  const auto device = static_cast<Device>((theirs[0] >> 24) & 0xff);
  if (device == round.device) return;
  throw internal::TransportError(fmt::format("rank {} gives {} memory where this rank gives {}",
                                             peer, name(device), name(round.device)));
}

void Marks::hear(Round& round) {
  for (std::size_t r = 0; r < round.received.size(); ++r) {
    // A request may be over before anybody has asked it.
    if (round.heard[r] || !round.received[r].test()) continue;
    round.heard[r] = true;
    if (static_cast<int>(r) == messages_->rank()) continue;
    heard_in_[r] = std::max(heard_in_[r], static_cast<std::uint64_t>((*round.words)[r][1]));
    check(static_cast<int>(r), (*round.words)[r], round);
  }
}

bool Marks::agreed(std::uint64_t sequence) {
  const auto found = rounds_.find(sequence);
  if (found == rounds_.end()) return true;
  Round& round = found->second;
  try {
    hear(round);
    const auto is_sent = [](Request& request) { return request.test(); };
    if (!std::ranges::all_of(round.sent, is_sent)) return false;
  } catch (const internal::PeerLeftError& error) {
    throw internal::TransportError(error.what(), true);
  } catch (const internal::TransportError&) {
    throw;
  } catch (const CommError& error) {
    throw internal::TransportError(error.what());
  }
  if (!std::ranges::all_of(round.heard, std::identity())) return false;
  rounds_.erase(found);
  return true;
}

std::vector<int> Marks::absent(std::uint64_t sequence) const {
  std::vector<int> ranks;
  const auto found = rounds_.find(sequence);
  if (found == rounds_.end()) return ranks;
  const auto& heard = found->second.heard;
  for (std::size_t r = 0; r < heard.size(); ++r) {
    if (!heard[r]) ranks.push_back(static_cast<int>(r));
  }
  return ranks;
}

}  // namespace convoy::comm::nccl
