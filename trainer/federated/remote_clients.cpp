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
constexpr std::size_t kHeaderBytes = std::size_t{1} << 20;

}  // namespace

RemoteClients::RemoteClients(comm::Communicator& communicator, ModelState like,
                             const compress::UpdateCodec* codec, std::chrono::milliseconds patience)
    : communicator_(communicator),
      like_(std::move(like)),
      codec_(codec),
      patience_(patience),
      exceptions_(std::uncaught_exceptions()),
      next_signs_(static_cast<std::size_t>(communicator.size()) - 1),
      signs_of_life_(next_signs_.size(), std::chrono::steady_clock::now()) {
  if (codec_ != nullptr) {
    residuals_.emplace(communicator, std::ssize(next_signs_), codec_->numel(),
                       [this](std::int64_t client, const messages::Order& order, Bytes payload) {
                         send(client, order, std::move(payload));
                       });
  }
  for (std::int64_t client = 0; client < std::ssize(next_signs_); ++client) receive_sign(client);
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
void RemoteClients::send(std::int64_t client, messages::Order order, Bytes payload) {
  order.take_back = taken_back_.erase(client) > 0;
  auto& requests = sent_[client];
  std::erase_if(requests, [](comm::Request& request) { return request.test(); });
  const int rank = messages::rank_of(client);
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
      .payload_bytes = payload.size(),
      .compressed_bytes = assignment.message != nullptr ? assignment.message->size() : 0};
  send(assignment.client, order, std::move(payload));
  if (residuals_) residuals_->assigned(assignment.client, assignment.round);
  Incoming incoming{.not_before = assignment.not_before, .header = std::make_shared<Header>()};
  incoming.request = messages::receive(communicator_, incoming.header,
                                       messages::rank_of(assignment.client), messages::kHeaderUp);
  const std::lock_guard lock(mutex_);
  const bool is_new = incoming_.emplace(assignment.client, std::move(incoming)).second;
  require(is_new, "RemoteClients: the client is busy");
}

std::optional<ClientReport> RemoteClients::handed_out(std::optional<ClientReport> report) {
  if (report && residuals_) residuals_->reported(report->client, report->round);
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
      signs_of_life_.heard(it->first, now);
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
  signs_of_life_.look(now);
  bool heard = false;
  for (std::int64_t client = 0; client < std::ssize(next_signs_); ++client) {
    NextSign& next = next_signs_[static_cast<std::size_t>(client)];
    if (next.gone || !next.request.test()) continue;
    heard = true;
    signs_of_life_.heard(client, now);
    next.gone = next.sign->front() == messages::kFarewell;
    if (!next.gone) receive_sign(client);
  }
  return heard;
}

void RemoteClients::receive_sign(std::int64_t client) {
  NextSign& next = next_signs_[static_cast<std::size_t>(client)];
  next.sign = std::make_shared<Sign>();
  next.request =
      messages::receive(communicator_, next.sign, messages::rank_of(client), messages::kSignUp);
}

bool RemoteClients::poll(std::int64_t client, Incoming& incoming) {
  if (!incoming.request.test()) return false;
  if (incoming.payload != nullptr) return true;
  check(client, *incoming.header);
  std::size_t payload_bytes = 0;
  incoming.report = messages::to_report(*incoming.header, payload_bytes);
  incoming.payload = std::make_shared<Bytes>(payload_bytes);
  incoming.request =
      messages::receive(communicator_, incoming.payload, messages::rank_of(incoming.report.client),
                        messages::kPayloadUp);
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
  return signs_of_life_.last(client, std::chrono::steady_clock::now());
}

bool RemoteClients::is_dead(std::int64_t client) const {
  return std::chrono::steady_clock::now() - last_sign(client).value() > patience_;
}

void RemoteClients::stop() {
  if (std::exchange(stopped_, true)) return;
  for (std::int64_t client = 0; client < std::ssize(next_signs_); ++client) {
    send(client, {.kind = messages::Order::Kind::kEnd}, {});
  }
}

bool RemoteClients::has_ended(std::int64_t client) const {
  const std::lock_guard lock(mutex_);
  // Reports that nobody will use may still be on their way.
  return next_signs_[static_cast<std::size_t>(client)].gone && !incoming_.contains(client);
}

std::vector<std::int64_t> RemoteClients::end() {
  ended_ = true;
  stop();
  std::vector<std::int64_t> dead;
  for (std::int64_t client = 0; client < std::ssize(next_signs_); ++client) {
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
  for (auto& next : next_signs_) messages::drop(next.request);
  for (auto& [client, incoming] : incoming_) messages::drop(incoming.request);
  if (residuals_) residuals_->drop();
  for (auto& [client, requests] : sent_) {
    for (auto& request : requests) messages::drop(request);
  }
}

void RemoteClients::ask_for_residuals() {
  if (residuals_) residuals_->ask();
}

std::optional<std::vector<NamedTensor>> RemoteClients::residuals() {
  if (!residuals_) return std::vector<NamedTensor>{};
  reports_.rethrow_error();
  return residuals_->answers([this](std::int64_t client) { return is_dead(client); });
}

void RemoteClients::restore_residuals(const std::vector<NamedTensor>& residuals) {
  require_config(residuals.empty() || residuals_, "the checkpoint is of compressed updates");
  if (residuals_) residuals_->restore(residuals);
}

}  // namespace convoy::trainer
