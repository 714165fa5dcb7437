// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/residual_rounds.h"

#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "trainer/federated/message_passing.h"

namespace convoy::trainer {

ResidualRounds::ResidualRounds(comm::Communicator& communicator, std::int64_t clients,
                               std::int64_t numel, Send send)
    : communicator_(communicator),
      numel_(numel),
      send_(std::move(send)),
      residuals_(static_cast<std::size_t>(clients)) {}

void ResidualRounds::assigned(std::int64_t client, std::int64_t round) {
  Residual& residual = residuals_.at(static_cast<std::size_t>(client));
  residual.open_round = round;
  if (residual.known_round < 0) residual.known_round = round;
}

void ResidualRounds::reported(std::int64_t client, std::int64_t round) {
  residuals_.at(static_cast<std::size_t>(client)).open_round = round + 1;
}

void ResidualRounds::ask() {
  for (std::int64_t client = 0; client < std::ssize(residuals_); ++client) ask(client);
}

void ResidualRounds::ask(std::int64_t client) {
  Residual& residual = residuals_[static_cast<std::size_t>(client)];
  hear(residual);
  residual.wanted_round = residual.open_round;
  if (residual.known_round < 0) residual.known_round = residual.open_round;
  residual.awaited = residual.coming == nullptr;
  if (!residual.awaited) return;
  send_(client, {.kind = messages::Order::Kind::kShow, .round = residual.open_round}, {});
  residual.asked_round = residual.open_round;
  residual.coming = std::make_shared<torch::Tensor>(torch::empty({numel_}));
  const std::span values(residual.coming->data_ptr<float>(), static_cast<std::size_t>(numel_));
  residual.request = communicator_.recv(comm::Buffer(values, residual.coming),
                                        messages::rank_of(client), messages::kResidualUp);
}

void ResidualRounds::hear(Residual& residual) {
  if (residual.coming == nullptr || !residual.request.test()) return;
  residual.known = *std::exchange(residual.coming, nullptr);
  residual.known_round = residual.asked_round;
}

std::optional<std::vector<NamedTensor>> ResidualRounds::answers(const IsDead& is_dead) {
  std::vector<NamedTensor> all;
  for (std::int64_t client = 0; client < std::ssize(residuals_); ++client) {
    Residual& residual = residuals_[static_cast<std::size_t>(client)];
    hear(residual);
    const bool has_answered = residual.coming == nullptr;
    if (residual.awaited && !has_answered && !is_dead(client)) return std::nullopt;
    all.push_back({std::to_string(client), value_of(residual)});
  }
  return all;
}

torch::Tensor ResidualRounds::value_of(const Residual& residual) const {
  // What a client owed before earlier rounds has gone out since: to owe it again would count it
  // twice.
  const bool holds = residual.known_round == residual.wanted_round;
  return holds && residual.known.defined() ? residual.known : torch::zeros({numel_});
}

void ResidualRounds::restore(const std::vector<NamedTensor>& residuals) {
  for (const auto& [name, values] : residuals) {
    require_config(values.numel() == numel_,
                   "the checkpoint's residual of client " + name + " is of another model");
    messages::Bytes payload;
    messages::append({values}, payload);
    const messages::Order order{.kind = messages::Order::Kind::kRestore,
                                .payload_bytes = payload.size()};
    const std::int64_t client = std::stoll(name);
    residuals_.at(static_cast<std::size_t>(client)).known = values;
    send_(client, order, std::move(payload));
  }
}

void ResidualRounds::drop() {
  for (auto& residual : residuals_) messages::drop(residual.request);
}

}  // namespace convoy::trainer
