// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/silo_orders.h"

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "comm/values.h"
#include "trainer/federated/growing_nap.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/messages.h"

namespace convoy::trainer::silo {
namespace {

constexpr int kOrderTag = 107;
constexpr int kMeetTag = 108;
/// A round lasts for seconds; so does what is late by this.
constexpr std::chrono::milliseconds kLongestNap{20};

using Words = std::array<std::int64_t, 6>;

Words to_words(const Order& order) {
  return {static_cast<std::int64_t>(order.kind),
          order.round.round,
          order.round.steps,
          order.round.position,
          order.round.updates,
          order.number};
}

Order to_order(const Words& words) {
  return {
      .kind = static_cast<Order::Kind>(words[0]),
      .round = {.round = words[1], .steps = words[2], .position = words[3], .updates = words[4]},
      .number = words[5]};
}

void await(comm::Request request) {
  const GrowingNap nap(kLongestNap);
  while (!request.test()) nap.take();
}

}  // namespace

void tell(comm::Communicator& site, const Order& order) {
  std::vector<comm::Request> sent;
  for (int rank = 1; rank < site.size(); ++rank) {
    sent.push_back(messages::send_owned(site, to_words(order), rank, kOrderTag));
  }
  for (auto& request : sent) request.wait();
}

Order await_order(comm::Communicator& site) {
  const auto words = std::make_shared<Words>();
  await(messages::receive(site, words, 0, kOrderTag));
  return to_order(*words);
}

void meet(comm::Communicator& site) {
  using Word = std::array<std::int64_t, 1>;
  const auto word = std::make_shared<Word>();
  if (site.rank() != 0) {
    messages::send_owned(site, Word{}, 0, kMeetTag).wait();
    return await(messages::receive(site, word, 0, kMeetTag));
  }
  for (int rank = 1; rank < site.size(); ++rank) {
    await(messages::receive(site, word, rank, kMeetTag));
  }
  for (int rank = 1; rank < site.size(); ++rank) {
    messages::send_owned(site, Word{}, rank, kMeetTag).wait();
  }
}

std::string share_text(comm::Communicator& site, const std::string& text) {
  return comm::broadcast_text(site, text, 0);
}

ModelState share_model(comm::Communicator& site, const ModelState& start, const ModelState& like) {
  if (site.size() == 1) return start;
  const auto bytes = std::make_shared<messages::Bytes>();
  if (site.rank() == 0) {
    messages::append(start.parameters, *bytes);
    messages::append(start.buffers, *bytes);
  }
  bytes->resize(bytes_of(like));
  site.broadcast(comm::Buffer(std::span(*bytes), bytes), 0).wait();
  if (site.rank() == 0) return start;
  std::span<const std::uint8_t> rest(*bytes);
  ModelState model;
  model.parameters = messages::take(rest, like.parameters);
  model.buffers = messages::take(rest, like.buffers);
  return model;
}

}  // namespace convoy::trainer::silo
