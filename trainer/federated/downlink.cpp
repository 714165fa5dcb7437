// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/downlink.h"

#include <utility>

#include "trainer/federated/update_layers.h"

namespace convoy::trainer {

Downlink::Downlink(const compress::UpdateCodec* codec, SharedState model, std::size_t versions,
                   std::uint64_t seed)
    : start_(std::move(model)) {
  if (codec != nullptr) {
    trajectory_.emplace(*codec, flatten(start_->parameters), versions, seed);
  }
}

void Downlink::advance(const SharedState& model) {
  if (trajectory_) trajectory_->advance(flatten(model->parameters));
  make_start(model);
}

void Downlink::make_start(const SharedState& model) {
  messages_.clear();
  if (!trajectory_) {
    start_ = model;
    return;
  }
  start_ = std::make_shared<const ModelState>(
      ModelState{.parameters = unflatten(trajectory_->values(), model->parameters),
                 .buffers = model->buffers});
}

Downlink::Message Downlink::message(std::int64_t client) {
  if (!trajectory_) return nullptr;
  const std::optional<std::int64_t> known = held(client);
  held_[client] = trajectory_->version();
  Message& message = messages_[known];
  if (!message) {
    message = std::make_shared<const std::vector<std::byte>>(trajectory_->message(known));
  }
  return message;
}

std::optional<std::int64_t> Downlink::held(std::int64_t client) const {
  const auto found = held_.find(client);
  return found == held_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Downlink::memory_bytes() const {
  return trajectory_ ? trajectory_->memory_bytes() + bytes_of(start_->parameters) : 0;
}

std::vector<float> Downlink::reference() const {
  return trajectory_ ? trajectory_->values() : std::vector<float>{};
}

void Downlink::restore(const SharedState& model, std::int64_t version,
                       std::vector<float> reference) {
  held_.clear();
  if (trajectory_) trajectory_->restore(version, std::move(reference));
  make_start(model);
}

}  // namespace convoy::trainer
