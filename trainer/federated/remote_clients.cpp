// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <algorithm>
#include <exception>
#include <span>
#include <thread>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

using messages::Bytes;
using messages::Header;

int rank_of(std::int64_t client) { return static_cast<int>(client) + 1; }

}  // namespace

RemoteClients::RemoteClients(comm::Communicator& communicator, ModelState like,
                             const compress::UpdateCodec* codec)
    : communicator_(communicator),
      like_(std::move(like)),
      codec_(codec),
      exceptions_(std::uncaught_exceptions()) {}

RemoteClients::~RemoteClients() {
  if (std::uncaught_exceptions() > exceptions_ || communicator_.poisoned()) return;
  try {
    for (int rank = 1; rank < communicator_.size(); ++rank) {
      send(rank - 1, {.kind = messages::Order::Kind::kEnd}, {});
    }
    // Reports that nobody will use are still on their way.
    while (!incoming_.empty()) {
      if (!poll()) std::this_thread::sleep_for(messages::kNap);
    }
    for (auto& [client, requests] : sent_) {
      for (auto& request : requests) request.wait();
    }
  } catch (const std::exception& error) {
    logger("trainer")->error("the clients could not be told of the end: {}", error.what());
  }
}

void RemoteClients::send(std::int64_t client, const messages::Order& order, Bytes payload) {
  auto& requests = sent_[client];
  for (auto& request : requests) request.wait();  // the client has answered it: at once
  requests.clear();
  requests.push_back(messages::send_owned(communicator_, messages::to_header(order),
                                          rank_of(client), messages::kHeaderDown));
  if (payload.empty()) return;
  requests.push_back(messages::send_owned(communicator_, std::move(payload), rank_of(client),
                                          messages::kPayloadDown));
}

void RemoteClients::start(Assignment assignment) {
  require(!incoming_.contains(assignment.client), "RemoteClients: the client is busy");
  Bytes payload;
  if (assignment.message != nullptr) {
    messages::append(*assignment.message, payload);
  } else {
    messages::append(assignment.start->parameters, payload);
  }
  messages::append(assignment.start->buffers, payload);
  const messages::Order order{
      .round = assignment.round,
      .steps = assignment.steps,
      .version = assignment.version,
      .position = assignment.position,
      .updates = assignment.updates,
      .take_back = taken_back_.erase(assignment.client) > 0,
      .payload_bytes = payload.size(),
      .compressed_bytes = assignment.message != nullptr ? assignment.message->size() : 0};
  send(assignment.client, order, std::move(payload));
  open_rounds_[assignment.client] = assignment.round;
  Incoming incoming{.not_before = assignment.not_before, .header = std::make_shared<Header>()};
  incoming.request = messages::receive(communicator_, incoming.header, rank_of(assignment.client),
                                       messages::kHeaderUp);
  incoming_.emplace(assignment.client, std::move(incoming));
}

bool RemoteClients::poll(Incoming& incoming) {
  if (!incoming.request.test()) return false;
  if (incoming.payload != nullptr) return true;
  std::size_t payload_bytes = 0;
  incoming.report = messages::to_report(*incoming.header, payload_bytes);
  incoming.payload = std::make_shared<Bytes>(payload_bytes);
  incoming.request = messages::receive(communicator_, incoming.payload,
                                       rank_of(incoming.report.client), messages::kPayloadUp);
  return incoming.request.test();
}

void RemoteClients::unpack(Incoming& incoming) const {
  std::span<const std::uint8_t> bytes(*incoming.payload);
  ClientReport& report = incoming.report;
  ModelUpdate& update = report.result.update;
  report.wire_bytes = bytes.size();
  if (codec_ == nullptr) {
    update.delta = messages::take(bytes, like_.parameters);
  } else if (report.result.finite) {
    update.delta = decode(*codec_, messages::take(bytes, report.payload.size()), like_.parameters);
  }
  update.buffers = messages::take(bytes, like_.buffers);
  report.payload = {};
}

bool RemoteClients::poll() {
  bool came = false;
  for (auto it = incoming_.begin(); it != incoming_.end();) {
    if (!poll(it->second)) {
      ++it;
      continue;
    }
    unpack(it->second);
    done_.insert_or_assign(it->first, Done{it->second.not_before, std::move(it->second.report)});
    it = incoming_.erase(it);
    came = true;
  }
  return came;
}

ClientReport RemoteClients::hand_out(std::map<std::int64_t, Done>::iterator done) {
  ClientReport report = std::move(done_.extract(done).mapped().report);
  open_rounds_[report.client] = report.round + 1;
  return report;
}

ClientReport RemoteClients::wait_for(std::int64_t client) {
  while (!done_.contains(client)) {
    if (!poll()) std::this_thread::sleep_for(messages::kNap);
  }
  return hand_out(done_.find(client));
}

std::optional<ClientReport> RemoteClients::next(WallTime until) {
  while (true) {
    const bool came = poll();
    const auto now = std::chrono::steady_clock::now();
    const auto earliest = std::min_element(
        done_.begin(), done_.end(),
        [](const auto& a, const auto& b) { return a.second.not_before < b.second.not_before; });
    if (earliest != done_.end() && earliest->second.not_before <= now) {
      return hand_out(earliest);
    }
    if (now >= until) return std::nullopt;
    if (!came) std::this_thread::sleep_for(messages::kNap);
  }
}

std::vector<NamedTensor> RemoteClients::residuals() {
  if (codec_ == nullptr) return {};
  std::vector<NamedTensor> all;
  std::vector<comm::Request> answers;
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    const std::int64_t client = rank - 1;
    send(client,
         {.kind = messages::Order::Kind::kShow,
          .round = open_rounds_[client],
          .take_back = taken_back_.erase(client) > 0},
         {});
    const auto values = std::make_shared<torch::Tensor>(torch::empty({codec_->numel()}));
    const auto size = static_cast<std::size_t>(codec_->numel());
    answers.push_back(
        communicator_.recv(comm::Buffer(std::span(values->data_ptr<float>(), size), values), rank,
                           messages::kResidualUp));
    all.push_back({std::to_string(client), *values});
  }
  // A client may have to hand its report over first.
  for (auto& answer : answers) {
    while (!answer.test()) {
      if (!poll()) std::this_thread::sleep_for(messages::kNap);
    }
  }
  return all;
}

void RemoteClients::restore_residuals(const std::vector<NamedTensor>& residuals) {
  for (const auto& [name, values] : residuals) {
    require_config(codec_ != nullptr && values.numel() == codec_->numel(),
                   "the checkpoint's residual of client " + name + " is of another model");
    Bytes payload;
    messages::append({values}, payload);
    const messages::Order order{.kind = messages::Order::Kind::kRestore,
                                .payload_bytes = payload.size()};
    send(std::stoll(name), order, std::move(payload));
  }
}

}  // namespace convoy::trainer
