// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <algorithm>
#include <exception>
#include <span>
#include <thread>

#include "base/errors.h"
#include "base/log.h"
#include "compress/update/reference_trajectory.h"
#include "trainer/federated/update_layers.h"

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

/// Follows the server's models.
class ModelReceiver {
 public:
  ModelReceiver(comm::Communicator& communicator, ModelState like,
                const compress::UpdateCodec* codec)
      : communicator_(communicator), like_(std::move(like)) {
    if (codec != nullptr) follower_.emplace(*codec);
  }

  [[nodiscard]] ModelState receive_model(const messages::Order& order) {
    const auto payload = std::make_shared<Bytes>(order.payload_bytes);
    auto request = receive(communicator_, payload, 0, messages::kPayloadDown);
    await(request);
    std::span<const std::uint8_t> bytes(*payload);
    ModelState start;
    if (order.compressed_bytes > 0) {
      require(follower_.has_value(), "the server sends compressed models, and here are dense ones");
      follower_->follow(messages::take(bytes, order.compressed_bytes));
      start.parameters = unflatten(follower_->values(), like_.parameters);
    } else {
      start.parameters = messages::take(bytes, like_.parameters);
    }
    start.buffers = messages::take(bytes, like_.buffers);
    return start;
  }

 private:
  comm::Communicator& communicator_;
  ModelState like_;
  std::optional<compress::ReferenceFollower> follower_;
};

void send_report(comm::Communicator& communicator, const ClientReport& report) {
  Bytes payload;
  messages::append(report.payload, payload);
  messages::append(report.result.update.delta, payload);
  messages::append(report.result.update.buffers, payload);
  auto header =
      send_owned(communicator, messages::to_header(report, payload.size()), 0, messages::kHeaderUp);
  auto sent = send_owned(communicator, std::move(payload), 0, messages::kPayloadUp);
  await(header);
  await(sent);
}

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
  requests.push_back(
      send_owned(communicator_, std::move(payload), rank_of(client), messages::kPayloadDown));
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
      .take_back = taken_back_.erase(assignment.client) > 0,
      .payload_bytes = payload.size(),
      .compressed_bytes = assignment.message != nullptr ? assignment.message->size() : 0};
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

void serve_client(comm::Communicator& communicator, LocalTrainer& trainer, ClientEnd& client,
                  const compress::UpdateCodec* codec) {
  ModelReceiver models(communicator, copy_state(trainer.model()), codec);
  while (true) {
    const auto header = std::make_shared<Header>();
    auto request = receive(communicator, header, 0, messages::kHeaderDown);
    await(request);
    const messages::Order order = messages::to_order(*header);
    if (order.end) return;
    if (order.take_back) client.take_back();
    const ModelState start = models.receive_model(order);
    const Assignment assignment{.client = communicator.rank() - 1,
                                .round = order.round,
                                .steps = order.steps,
                                .version = order.version,
                                .position = order.position};
    send_report(communicator, client.train(trainer, assignment, start));
  }
}

}  // namespace convoy::trainer
