// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <algorithm>
#include <exception>
#include <span>
#include <thread>

#include "base/errors.h"
#include "base/log.h"

namespace convoy::trainer {
namespace {

using messages::Bytes;
using messages::Header;

constexpr std::chrono::microseconds kNap{200};

int rank_of(std::int64_t client) { return static_cast<int>(client) + 1; }

comm::Request receive(comm::Communicator& communicator, const std::shared_ptr<Header>& header,
                      int peer, int tag) {
  return communicator.recv(comm::Buffer(std::span(*header), header), peer, tag);
}

comm::Request receive(comm::Communicator& communicator, const std::shared_ptr<Bytes>& payload,
                      int peer, int tag) {
  return communicator.recv(comm::Buffer(std::span(*payload), payload), peer, tag);
}

template <typename T>
comm::Request send_owned(comm::Communicator& communicator, T values, int peer, int tag) {
  const auto owned = std::make_shared<T>(std::move(values));
  const comm::Buffer buffer{std::span(*owned), owned};
  return communicator.send(comm::ConstBuffer(buffer), peer, tag);
}

/// Waits as long as it takes: a client that is answered late has not failed.
void await(comm::Request& request) {
  while (!request.test()) std::this_thread::sleep_for(kNap);
}

ModelState receive_model(comm::Communicator& communicator, const messages::Order& order,
                         const ModelState& like) {
  const auto payload = std::make_shared<Bytes>(order.payload_bytes);
  auto request = receive(communicator, payload, 0, messages::kPayloadDown);
  await(request);
  ModelState start;
  messages::unpack(*payload, like, start.parameters, start.buffers);
  return start;
}

}  // namespace

RemoteClients::RemoteClients(comm::Communicator& communicator, ModelState like)
    : communicator_(communicator),
      like_(std::move(like)),
      exceptions_(std::uncaught_exceptions()) {}

RemoteClients::~RemoteClients() {
  if (std::uncaught_exceptions() > exceptions_ || communicator_.poisoned()) return;
  try {
    for (int rank = 1; rank < communicator_.size(); ++rank) send(rank - 1, {.end = true}, {});
    // Reports that nobody will use are still on their way.
    while (!incoming_.empty()) {
      if (!poll()) std::this_thread::sleep_for(kNap);
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
  requests.push_back(send_owned(communicator_, messages::to_header(order), rank_of(client),
                                messages::kHeaderDown));
  if (payload.empty()) return;
  bytes_down_ += payload.size();
  requests.push_back(
      send_owned(communicator_, std::move(payload), rank_of(client), messages::kPayloadDown));
}

void RemoteClients::start(Assignment assignment) {
  require(!incoming_.contains(assignment.client), "RemoteClients: the client is busy");
  Bytes payload = messages::pack(assignment.start->parameters, assignment.start->buffers);
  const messages::Order order{.round = assignment.round,
                              .steps = assignment.steps,
                              .version = assignment.version,
                              .position = assignment.position,
                              .payload_bytes = payload.size()};
  send(assignment.client, order, std::move(payload));
  Incoming incoming{.not_before = assignment.not_before, .header = std::make_shared<Header>()};
  incoming.request =
      receive(communicator_, incoming.header, rank_of(assignment.client), messages::kHeaderUp);
  incoming_.emplace(assignment.client, std::move(incoming));
}

bool RemoteClients::poll(Incoming& incoming) {
  if (!incoming.request.test()) return false;
  if (incoming.payload != nullptr) return true;
  std::size_t payload_bytes = 0;
  incoming.report = messages::to_report(*incoming.header, payload_bytes);
  incoming.payload = std::make_shared<Bytes>(payload_bytes);
  incoming.request = receive(communicator_, incoming.payload, rank_of(incoming.report.client),
                             messages::kPayloadUp);
  return incoming.request.test();
}

bool RemoteClients::poll() {
  bool came = false;
  for (auto it = incoming_.begin(); it != incoming_.end();) {
    if (!poll(it->second)) {
      ++it;
      continue;
    }
    auto& [not_before, header, payload, request, report] = it->second;
    bytes_up_ += payload->size();
    messages::unpack(*payload, like_, report.result.update.delta, report.result.update.buffers);
    done_.insert_or_assign(it->first, Done{not_before, std::move(report)});
    it = incoming_.erase(it);
    came = true;
  }
  return came;
}

ClientReport RemoteClients::wait_for(std::int64_t client) {
  while (!done_.contains(client)) {
    if (!poll()) std::this_thread::sleep_for(kNap);
  }
  return std::move(done_.extract(client).mapped().report);
}

std::optional<ClientReport> RemoteClients::next(WallTime until) {
  while (true) {
    const bool came = poll();
    const auto now = std::chrono::steady_clock::now();
    const auto earliest = std::min_element(
        done_.begin(), done_.end(),
        [](const auto& a, const auto& b) { return a.second.not_before < b.second.not_before; });
    if (earliest != done_.end() && earliest->second.not_before <= now) {
      return std::move(done_.extract(earliest).mapped().report);
    }
    if (now >= until) return std::nullopt;
    if (!came) std::this_thread::sleep_for(kNap);
  }
}

void serve_client(comm::Communicator& communicator, LocalTrainer& trainer, ClientData& data) {
  const ModelState like = copy_state(trainer.model());
  while (true) {
    const auto header = std::make_shared<Header>();
    auto request = receive(communicator, header, 0, messages::kHeaderDown);
    await(request);
    const messages::Order order = messages::to_order(*header);
    if (order.end) return;
    const ModelState start = receive_model(communicator, order, like);
    ClientReport report{.client = communicator.rank() - 1, .round = order.round};
    data.set_position(order.position);
    const auto begin = std::chrono::steady_clock::now();
    report.result = trainer.run(data, start, order.steps);
    report.training_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    report.position = data.position();
    report.result.update.version = order.version;
    Bytes payload = messages::pack(report.result.update.delta, report.result.update.buffers);
    auto sent = send_owned(communicator, messages::to_header(report, payload.size()), 0,
                           messages::kHeaderUp);
    auto sent_payload = send_owned(communicator, std::move(payload), 0, messages::kPayloadUp);
    await(sent);
    await(sent_payload);
  }
}

}  // namespace convoy::trainer
