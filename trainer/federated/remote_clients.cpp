// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <spdlog/fmt/fmt.h>

#include <exception>
#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/federated/growing_nap.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

using messages::Bytes;
using messages::Header;
using messages::Sign;

constexpr std::chrono::microseconds kLongestNap{1000};
/// A server that has not looked for so long was suspended itself: its clients were not silent.
constexpr std::chrono::seconds kStoodStill{1};

constexpr std::size_t kHeaderBytes = std::size_t{1} << 20;

int rank_of(std::int64_t client) { return static_cast<int>(client) + 1; }

/// Nobody will answer; what the communicator still says about it is known.
void drop(comm::Request& request) {
  try {
    request.wait(std::chrono::milliseconds(0));
  } catch (const CommError&) {
  }
}

}  // namespace

RemoteClients::RemoteClients(comm::Communicator& communicator, ModelState like,
                             const compress::UpdateCodec* codec, std::chrono::milliseconds patience)
    : communicator_(communicator),
      like_(std::move(like)),
      codec_(codec),
      patience_(patience),
      exceptions_(std::uncaught_exceptions()),
      looked_(std::chrono::steady_clock::now()) {
  lives_.resize(static_cast<std::size_t>(communicator.size()) - 1);
  for (std::size_t i = 0; i < lives_.size(); ++i) {
    lives_[i].last = looked_;
    receive_sign(static_cast<std::int64_t>(i));
  }
  listener_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
}

RemoteClients::~RemoteClients() {
  if (ended_ || std::uncaught_exceptions() > exceptions_ || communicator_.poisoned()) return;
  try {
    for (const auto client : end()) {
      logger("trainer")->error("client {} has not heard of the end", client);
    }
  } catch (const std::exception& error) {
    logger("trainer")->error("the clients could not be told of the end: {}", error.what());
  }
}

/// Never waits: a client may stand still.
void RemoteClients::send(std::int64_t client, const messages::Order& order, Bytes payload) {
  auto& requests = sent_[client];
  std::erase_if(requests, [](comm::Request& request) { return request.test(); });
  const int rank = rank_of(client);
  requests.push_back(
      messages::send_owned(communicator_, messages::to_header(order), rank, messages::kHeaderDown));
  if (payload.empty()) return;
  requests.push_back(
      messages::send_owned(communicator_, std::move(payload), rank, messages::kPayloadDown));
}

void RemoteClients::start(Assignment assignment) {
  require(!stopped_, "RemoteClients: the clients have been told to stop");
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
  Residual& residual = residuals_[assignment.client];
  if (residual.round < 0) residual.round = assignment.round;
  Incoming incoming{.not_before = assignment.not_before, .header = std::make_shared<Header>()};
  incoming.request = messages::receive(communicator_, incoming.header, rank_of(assignment.client),
                                       messages::kHeaderUp);
  const std::lock_guard lock(mutex_);
  const bool is_new = incoming_.emplace(assignment.client, std::move(incoming)).second;
  require(is_new, "RemoteClients: the client is busy");
}

std::optional<ClientReport> RemoteClients::handed_out(std::optional<ClientReport> report) {
  if (report) open_rounds_[report->client] = report->round + 1;
  return report;
}

void RemoteClients::listen(const std::stop_token& stop) {
  GrowingNap nap(kLongestNap);
  try {
    while (!stop.stop_requested()) {
      if (poll()) nap.reset();
      nap.take();
    }
  } catch (...) {
    reports_.fail(std::current_exception());
  }
}

bool RemoteClients::poll() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Incoming> whole;
  bool heard = false;
  {
    const std::lock_guard lock(mutex_);
    heard = hear_signs(now);
    for (auto it = incoming_.begin(); it != incoming_.end();) {
      if (!poll(it->first, it->second)) {
        ++it;
        continue;
      }
      lives_[static_cast<std::size_t>(it->first)].last = now;
      whole.push_back(std::move(it->second));
      it = incoming_.erase(it);
    }
  }
  for (auto& incoming : whole) {
    unpack(incoming);
    reports_.put(std::move(incoming.report), now, incoming.not_before);
  }
  return heard || !whole.empty();
}

bool RemoteClients::hear_signs(WallTime now) {
  const auto away = now - looked_ > kStoodStill ? now - looked_ : WallTime::duration{};
  looked_ = now;
  bool heard = false;
  for (std::size_t i = 0; i < lives_.size(); ++i) {
    Life& life = lives_[i];
    if (life.gone) continue;
    life.last += away;
    if (!life.request.test()) continue;
    heard = true;
    life.last = now;
    life.gone = life.sign->front() == messages::kFarewell;
    if (!life.gone) receive_sign(static_cast<std::int64_t>(i));
  }
  return heard;
}

void RemoteClients::receive_sign(std::int64_t client) {
  Life& life = lives_[static_cast<std::size_t>(client)];
  life.sign = std::make_shared<Sign>();
  life.request = messages::receive(communicator_, life.sign, rank_of(client), messages::kSignUp);
}

bool RemoteClients::poll(std::int64_t client, Incoming& incoming) {
  if (!incoming.request.test()) return false;
  if (incoming.payload != nullptr) return true;
  check(client, *incoming.header);
  std::size_t payload_bytes = 0;
  incoming.report = messages::to_report(*incoming.header, payload_bytes);
  incoming.payload = std::make_shared<Bytes>(payload_bytes);
  incoming.request = messages::receive(communicator_, incoming.payload,
                                       rank_of(incoming.report.client), messages::kPayloadUp);
  return incoming.request.test();
}

void RemoteClients::check(std::int64_t client, const Header& header) const {
  const messages::ReportSizes sizes = messages::sizes_of(header);
  // No payload is more than twice as large as what it stands for, but for its headers.
  const auto most = static_cast<double>(2 * bytes_of(like_) + kHeaderBytes);
  for (const double bytes : {sizes.payload, sizes.compressed}) {
    if (!(bytes >= 0.0 && bytes <= most)) {
      throw CommError(fmt::format("client {} announces an update of {} bytes", client, bytes));
    }
  }
  if (sizes.client != static_cast<double>(client)) {
    throw CommError(fmt::format("client {} says that it is client {}", client, sizes.client));
  }
}

/// An update that is none is not finite: the policy refuses it.
void RemoteClients::unpack(Incoming& incoming) const {
  ClientReport& report = incoming.report;
  report.wire_bytes = incoming.payload->size();
  try {
    take_update(*incoming.payload, report);
  } catch (const std::exception& error) {
    logger("trainer")->warn("an update of client {}: {}", report.client, error.what());
    report.result.finite = false;
    report.result.update.delta.clear();
    report.result.update.buffers.clear();
  }
  report.payload = {};
}

void RemoteClients::take_update(std::span<const std::uint8_t> bytes, ClientReport& report) const {
  ModelUpdate& update = report.result.update;
  if (codec_ == nullptr) {
    update.delta = messages::take(bytes, like_.parameters);
  } else if (report.result.finite) {
    update.delta = decode(*codec_, messages::take(bytes, report.payload.size()), like_.parameters);
  }
  update.buffers = messages::take(bytes, like_.buffers);
  require(bytes.empty(), "a payload is longer than the model");
}

std::optional<WallTime> RemoteClients::last_sign(std::int64_t client) const {
  const std::lock_guard lock(mutex_);
  // As hear_signs() will correct it: this thread may be the first to wake up.
  const auto away = std::chrono::steady_clock::now() - looked_;
  return lives_.at(static_cast<std::size_t>(client)).last +
         (away > kStoodStill ? away : WallTime::duration{});
}

bool RemoteClients::is_dead(std::int64_t client) const {
  return std::chrono::steady_clock::now() - last_sign(client).value() > patience_;
}

void RemoteClients::stop() {
  if (std::exchange(stopped_, true)) return;
  for (std::int64_t client = 0; client < std::ssize(lives_); ++client) {
    send(client, {.kind = messages::Order::Kind::kEnd}, {});
  }
}

bool RemoteClients::has_ended(std::int64_t client) const {
  const std::lock_guard lock(mutex_);
  // Reports that nobody will use may still be on their way.
  return lives_[static_cast<std::size_t>(client)].gone && !incoming_.contains(client);
}

std::vector<std::int64_t> RemoteClients::end() {
  ended_ = true;
  stop();
  std::vector<std::int64_t> dead;
  for (std::int64_t client = 0; client < std::ssize(lives_); ++client) {
    GrowingNap nap(kLongestNap);
    while (!has_ended(client) && !is_dead(client)) {
      (void)reports_.next({});  // throws where the connection has failed
      nap.take();
    }
    if (!has_ended(client)) dead.push_back(client);
  }
  listener_.request_stop();
  listener_.join();
  if (dead.empty()) {
    for (auto& [client, requests] : sent_) {
      for (auto& request : requests) request.wait();
    }
  } else {
    drop_requests();
  }
  return dead;
}

/// What is under way with the dead will never be over.
void RemoteClients::drop_requests() {
  for (auto& life : lives_) drop(life.request);
  for (auto& [client, incoming] : incoming_) drop(incoming.request);
  for (auto& [client, residual] : residuals_) drop(residual.request);
  for (auto& [client, requests] : sent_) {
    for (auto& request : requests) drop(request);
  }
}

std::vector<NamedTensor> RemoteClients::residuals() {
  if (codec_ == nullptr) return {};
  std::vector<NamedTensor> all;
  for (std::int64_t client = 0; client < std::ssize(lives_); ++client) ask_for_residual(client);
  for (std::int64_t client = 0; client < std::ssize(lives_); ++client) {
    await_residual(client);
    all.push_back({std::to_string(client), residuals_[client].known});
  }
  return all;
}

void RemoteClients::ask_for_residual(std::int64_t client) {
  Residual& residual = residuals_[client];
  if (!residual.known.defined()) residual.known = torch::zeros({codec_->numel()});
  // A client that stood still the last time: what it may have said since is out of date.
  if (residual.coming != nullptr && !residual.request.test()) return;
  send(client,
       {.kind = messages::Order::Kind::kShow,
        .round = open_rounds_[client],
        .take_back = taken_back_.erase(client) > 0},
       {});
  residual.asked = open_rounds_[client];
  residual.coming = std::make_shared<torch::Tensor>(torch::empty({codec_->numel()}));
  const std::span values(residual.coming->data_ptr<float>(),
                         static_cast<std::size_t>(codec_->numel()));
  residual.request = communicator_.recv(comm::Buffer(values, residual.coming), rank_of(client),
                                        messages::kResidualUp);
}

void RemoteClients::await_residual(std::int64_t client) {
  Residual& residual = residuals_[client];
  GrowingNap nap(kLongestNap);
  while (true) {
    if (residual.coming != nullptr && residual.request.test()) {
      residual.known = *std::exchange(residual.coming, nullptr);
      residual.round = residual.asked;
      if (residual.round == open_rounds_[client]) return;
      ask_for_residual(client);  // that was the answer to an older question
    }
    reports_.rethrow_error();
    if (is_dead(client)) break;
    nap.take();
  }
  // What it owed before earlier rounds has gone out since: to owe it again would count it twice.
  if (residual.round != open_rounds_[client]) residual.known = torch::zeros({codec_->numel()});
}

void RemoteClients::restore_residuals(const std::vector<NamedTensor>& residuals) {
  for (const auto& [name, values] : residuals) {
    require_config(codec_ != nullptr && values.numel() == codec_->numel(),
                   "the checkpoint's residual of client " + name + " is of another model");
    Bytes payload;
    messages::append({values}, payload);
    const messages::Order order{.kind = messages::Order::Kind::kRestore,
                                .payload_bytes = payload.size()};
    const std::int64_t client = std::stoll(name);
    residuals_[client].known = values;
    send(client, order, std::move(payload));
  }
}

}  // namespace convoy::trainer
