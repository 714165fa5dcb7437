// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation_checkpoints.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "comm/local/local.h"
#include "trainer/federated/growing_nap.h"

namespace convoy::trainer {
namespace {

constexpr std::string_view kResidual = "residual/";
constexpr const char* kServer = "server.json";
constexpr const char* kClock = "clock.json";

/// What a checkpoint must agree on.
std::string identity_of(const Job& job) {
  const std::string text =
      fmt::format("{} {} {} {} {} {} {} {}", job.data.name, job.model.name, job.model.torchscript,
                  job.run.seed, job.federation.clients, job.federation.clock,
                  scheduler::to_text(job.federation.policy.algorithm), job.compression.family);
  return to_hex(hash64(std::as_bytes(std::span(text))));
}

/// Text as a tensor of bytes, so that it fits a checkpoint.
torch::Tensor to_tensor(const std::string& text) {
  auto tensor = torch::empty({static_cast<std::int64_t>(text.size())}, torch::kUInt8);
  std::copy(text.begin(), text.end(), tensor.data_ptr<std::uint8_t>());
  return tensor;
}

std::string to_text(const torch::Tensor& tensor) {
  const auto* begin = tensor.data_ptr<std::uint8_t>();
  return {begin, begin + tensor.numel()};
}

TrainingState to_state(const FederationSnapshot& snapshot) {
  TrainingState state;
  state.step = snapshot.updates;
  state.rank_tensors = snapshot.server.tensors;
  for (const auto& [client, values] : snapshot.residuals) {
    state.rank_tensors.push_back({std::string(kResidual) + client, values});
  }
  state.rank_tensors.push_back({kServer, to_tensor(snapshot.server.json)});
  state.rank_tensors.push_back({kClock, to_tensor(snapshot.clock)});
  state.counters = {{"events_bytes", static_cast<double>(snapshot.events_bytes)},
                    {"steps", static_cast<double>(snapshot.steps)},
                    {"samples", static_cast<double>(snapshot.samples)},
                    {"seconds", snapshot.seconds},
                    {"step_seconds", snapshot.step_seconds},
                    {"evaluated_updates", static_cast<double>(snapshot.evaluated_updates)}};
  return state;
}

FederationSnapshot to_snapshot(TrainingState state) {
  const auto count = [&](const char* name) {
    return static_cast<std::int64_t>(state.counters.at(name));
  };
  FederationSnapshot snapshot{.updates = state.step,
                              .steps = count("steps"),
                              .samples = count("samples"),
                              .seconds = state.counters.at("seconds"),
                              .step_seconds = state.counters.at("step_seconds"),
                              .events_bytes = static_cast<std::uint64_t>(count("events_bytes")),
                              .evaluated_updates = count("evaluated_updates")};
  for (auto& entry : state.rank_tensors) {
    if (entry.name == kServer) {
      snapshot.server.json = to_text(entry.tensor);
    } else if (entry.name == kClock) {
      snapshot.clock = to_text(entry.tensor);
    } else if (entry.name.starts_with(kResidual)) {
      snapshot.residuals.push_back({entry.name.substr(kResidual.size()), entry.tensor});
    } else {
      snapshot.server.tensors.push_back(std::move(entry));
    }
  }
  return snapshot;
}

}  // namespace

FederationCheckpoints::FederationCheckpoints(const Job& job, const RunRequest& request,
                                             ResidualOwner& clients, std::unique_ptr<Model> model)
    : request_(request),
      clients_(clients),
      model_(std::move(model)),
      alone_(std::move(comm::local::make_world(1).front())),
      store_(*alone_, request.run_dir / "checkpoints", job.checkpoint, identity_of(job)) {}

void FederationCheckpoints::begin(FederationSnapshot now, const ModelState& state) {
  require(!running(), "FederationCheckpoints: one at a time");
  put_state(state, *model_);
  clients_.ask_for_residuals();
  begun_ = std::move(now);
}

void FederationCheckpoints::finish(bool wait) {
  if (!running()) return;
  GrowingNap nap(std::chrono::milliseconds(1));
  auto residuals = clients_.residuals();
  for (; wait && !residuals; residuals = clients_.residuals()) nap.take();
  if (!residuals) return;
  begun_->residuals = std::move(*residuals);
  TrainingState saved = to_state(*std::exchange(begun_, std::nullopt));
  saved.parameters = model_->parameters();  // so that the checkpoint's model.pt is a model
  saved.buffers = model_->buffers();
  store_.save(saved);
}

FederationSnapshot FederationCheckpoints::load() {
  auto saved = store_.load(request_.checkpoint);
  require_config(
      saved.has_value(),
      "nothing to resume: " + (request_.run_dir / "checkpoints").string() + " holds no checkpoint");
  return to_snapshot(std::move(*saved));
}

}  // namespace convoy::trainer
