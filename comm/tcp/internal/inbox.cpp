// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/inbox.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "comm/tcp/internal/frame.h"

namespace convoy::comm::tcp {

using internal::Message;
using internal::Route;

void deliver(std::span<const std::byte> bytes, Message& to) {
  const std::size_t fits = std::min(bytes.size(), to.target.size());
  if (fits > 0) std::memcpy(to.target.data(), bytes.data(), fits);
  to.finish(bytes.size());
}

namespace {

/// Small messages take up more than their bytes.
std::size_t memory_of(std::size_t bytes) { return bytes + sizeof(internal::Scratch); }

}  // namespace

bool Inbox::take_early(Message& message) {
  const auto found = queues_.find(key_of(message.route));
  if (found == queues_.end() || found->second.early.empty()) return false;
  const internal::Scratch kept = std::move(found->second.early.front());
  found->second.early.pop_front();
  early_bytes_ -= memory_of(kept.bytes().size());
  forget_if_empty(found);
  deliver(kept.bytes(), message);
  return true;
}

Message* Inbox::match(const Route& route) {
  const auto found = queues_.find(key_of(route));
  if (found == queues_.end() || found->second.awaited.empty()) return nullptr;
  Message* message = found->second.awaited.front();
  found->second.awaited.pop_front();
  forget_if_empty(found);
  return message;
}

void Inbox::keep(const Route& route, std::span<const std::byte> bytes) {
  early_bytes_ += memory_of(bytes.size());
  if (early_bytes_ > kMaxEarlyBytes) {
    throw internal::TransportError(
        fmt::format("rank {} has sent {} bytes that nobody asked for", route.peer, early_bytes_));
  }
  auto& kept = queues_[key_of(route)].early.emplace_back(scratch_->take(bytes.size()));
  std::ranges::copy(bytes, kept.data());
}

void Inbox::fail_awaited(const std::string& why) {
  for (auto& [key, queue] : queues_) {
    for (Message* message : std::exchange(queue.awaited, {})) message->fail(why, true);
  }
}

void Inbox::forget_if_empty(std::map<Key, Queue>::iterator at) {
  if (at->second.awaited.empty() && at->second.early.empty()) queues_.erase(at);
}

}  // namespace convoy::comm::tcp
