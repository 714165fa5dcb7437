// SPDX-License-Identifier: Apache-2.0
#include "comm/local/internal/group.h"

#include <algorithm>
#include <cstring>

#include "comm/internal/shared_area.h"

namespace convoy::comm::local {
namespace {

using internal::Message;
using internal::Route;

// Up to here copying twice is cheaper than waiting for the receiver.
constexpr std::size_t kCopiedBytes = 4096;

void deliver(std::span<const std::byte> bytes, Message& to) {
  const std::size_t fits = std::min(bytes.size(), to.target.size());
  if (fits > 0) std::memcpy(to.target.data(), bytes.data(), fits);
  to.finish(bytes.size());
}

// The same message as its receiver names it and as its sender does.
bool matches(const Route& receivers, int from, const Route& senders) {
  return receivers.peer == from && receivers.channel == senders.channel &&
         receivers.tag == senders.tag;
}

}  // namespace

Group::Group(int size, bool shares_memory) : boxes_(static_cast<std::size_t>(size)) {
  if (!shares_memory || size == 1) return;
  const std::size_t bytes = internal::SharedArea::bytes(size);
  pages_.resize((bytes - 1) / sizeof(Page) + 1);
  memory_ = {pages_.front().bytes.data(), pages_.size() * sizeof(Page)};
}

void Group::send(int from, Message& message) {
  const int to = message.route.peer;
  Mailbox& mailbox = box(to);
  {
    const std::lock_guard lock(mailbox.mutex);
    if (!hand_over(mailbox, from, message)) return;
  }
  mailbox.wakeup.signal();
}

bool Group::hand_over(Mailbox& mailbox, int from, Message& message) {
  const auto gone = mailbox.gone.find(message.route.peer);
  if (gone != mailbox.gone.end()) {
    message.fail(gone->second, true);
    return false;
  }
  const auto waiting = std::ranges::find_if(mailbox.awaited, [&](const Message* awaited) {
    return matches(awaited->route, from, message.route);
  });
  if (waiting != mailbox.awaited.end()) {
    deliver(message.source, **waiting);
    mailbox.awaited.erase(waiting);
    message.finish(message.source.size());
    return true;
  }
  Parcel parcel{.from = from, .route = message.route, .copy = {}, .message = &message};
  if (message.source.size() <= kCopiedBytes) {
    parcel.copy = scratch_.take(message.source.size());
    std::ranges::copy(message.source, parcel.copy.data());
    parcel.message = nullptr;
    message.finish(message.source.size());
  }
  mailbox.arrived.push_back(std::move(parcel));
  return false;
}

void Group::receive(int rank, Message& message) {
  Mailbox& mailbox = box(rank);
  std::optional<int> sender;
  {
    const std::lock_guard lock(mailbox.mutex);
    if (!pick_up(mailbox, message, sender)) return;
  }
  if (sender) box(*sender).wakeup.signal();
}

bool Group::pick_up(Mailbox& mailbox, Message& message, std::optional<int>& sender) {
  const auto parcel = std::ranges::find_if(mailbox.arrived, [&](const Parcel& arrived) {
    return matches(message.route, arrived.from, arrived.route);
  });
  if (parcel == mailbox.arrived.end()) {
    const auto gone = mailbox.gone.find(message.route.peer);
    if (gone != mailbox.gone.end()) {
      message.fail(gone->second, true);
    } else {
      mailbox.awaited.push_back(&message);
    }
    return false;
  }
  deliver(parcel->bytes(), message);
  if (parcel->message != nullptr) {
    parcel->message->finish(parcel->message->source.size());
    sender = parcel->from;
  }
  mailbox.arrived.erase(parcel);
  return true;
}

void Group::leave(int rank, const std::string& why) {
  const std::string text = "rank " + std::to_string(rank) + " has left the communicator" +
                           (why.empty() ? std::string() : " (" + why + ")");
  leave_own(rank, text);
  for (int other = 0; other < size(); ++other) {
    if (other != rank) leave_foreign(rank, other, text);
  }
}

// Stops receiving, and frees those who are sending.
void Group::leave_own(int rank, const std::string& why) {
  Mailbox& mailbox = box(rank);
  std::vector<int> senders;
  {
    const std::lock_guard lock(mailbox.mutex);
    if (!mailbox.gone.emplace(rank, why).second) return;
    mailbox.awaited.clear();
    for (const Parcel& parcel : mailbox.arrived) {
      if (parcel.message == nullptr) continue;
      parcel.message->fail(why, true);
      senders.push_back(parcel.from);
    }
    mailbox.arrived.clear();
  }
  for (const int sender : senders) box(sender).wakeup.signal();
}

// Takes back what is on its way to `other`, and lets it know that nothing more will come.
void Group::leave_foreign(int rank, int other, const std::string& why) {
  Mailbox& mailbox = box(other);
  {
    const std::lock_guard lock(mailbox.mutex);
    mailbox.gone.emplace(rank, why);
    mailbox.arrived.remove_if(
        [&](const Parcel& parcel) { return parcel.from == rank && parcel.message != nullptr; });
    mailbox.awaited.remove_if([&](Message* awaited) {
      if (awaited->route.peer != rank) return false;
      awaited->fail(why, true);
      return true;
    });
  }
  mailbox.wakeup.signal();
}

std::shared_ptr<Group> Group::child(int split, int color, int size) {
  const std::lock_guard lock(children_mutex_);
  const std::pair key(split, color);
  auto& child = children_[key];
  if (child.group == nullptr) child = {std::make_shared<Group>(size, !memory_.empty()), size};
  auto group = child.group;
  if (--child.not_yet_taken == 0) children_.erase(key);
  return group;
}

namespace {

class LocalTransport final : public internal::Transport {
 public:
  LocalTransport(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {
    if (!group_->memory().empty()) area_.emplace(group_->memory(), rank, group_->size());
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return group_->size(); }
  [[nodiscard]] std::string_view backend() const override { return "local"; }
  [[nodiscard]] std::size_t max_message_bytes() const override { return SIZE_MAX / 2; }

  void isend(Message& message) override { group_->send(rank_, message); }
  void irecv(Message& message) override { group_->receive(rank_, message); }
  void progress() override {}

  [[nodiscard]] internal::Wakeup& wakeup() override { return group_->wakeup(rank_); }
  // Every event signals, so that this only bounds a mistake.
  [[nodiscard]] Naps naps() const override {
    return {.first = std::chrono::milliseconds(50), .longest = std::chrono::milliseconds(50)};
  }
  [[nodiscard]] internal::SharedArea* shared_area() override { return area_ ? &*area_ : nullptr; }
  void signal_peers() override {
    for (int rank = 0; rank < group_->size(); ++rank) {
      if (rank != rank_) group_->wakeup(rank).signal();
    }
  }
  void leave(const std::string& failure) override {
    if (area_) area_->leave(failure);
    group_->leave(rank_, failure);
  }
  [[nodiscard]] bool leave_releases_memory() const override { return true; }

  [[nodiscard]] std::unique_ptr<Transport> split(const internal::SplitGroup& group) override {
    const int size = static_cast<int>(group.members.size());
    return make_transport(group_->child(splits_++, group.color, size), group.index);
  }

 private:
  std::shared_ptr<Group> group_;  // shared by its ranks
  int rank_;
  std::optional<internal::SharedArea> area_;  // in the group's memory
  int splits_ = 0;
};

}  // namespace

std::unique_ptr<internal::Transport> make_transport(std::shared_ptr<Group> group, int rank) {
  return std::make_unique<LocalTransport>(std::move(group), rank);
}

}  // namespace convoy::comm::local
