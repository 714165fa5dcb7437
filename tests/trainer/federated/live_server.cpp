// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/federated/live_server.h"

namespace convoy::tests {

using trainer::Assignment;
using trainer::ClientReport;

TensorModel small_model(Random& random) {
  return {{{"w", tensor_of(random_values(kWeights, 1.0, random))}},
          {{"mean", tensor_of(random_values(kMeans, 1.0, random))},
           {"count", torch::tensor(7, torch::kInt64)}}};
}

LiveServer::LiveServer(const trainer::FederationConfig& config, std::uint64_t seed)
    : random_({seed, 0x6c697665}),
      initial_(small_model(random_)),
      server_(
          std::make_unique<trainer::FederatedServer>(config, initial_, [](std::string_view) {})) {
  server_->set_callbacks(
      [this](Assignment assignment) {
        assigned_.insert_or_assign(assignment.client, std::move(assignment));
      },
      [this](const trainer::NewModel& model) { made.push_back(model); },
      [this](std::int64_t client, const std::string&) { refused.push_back(client); });
}

void LiveServer::join(double now, std::int64_t client, std::int64_t samples) {
  server_->join(now, client, samples);
}

ClientReport LiveServer::answer(std::int64_t client) {
  const Assignment& assignment = assigned_.at(client);
  Sent& sent = sent_[{client, assignment.round}];
  sent = {.delta = random_values(kWeights, 0.1, random_),
          .means = random_values(kMeans, 1.0, random_),
          .counter = static_cast<std::int64_t>(random_.below(1'000'000)),
          .version = assignment.version};
  ClientReport report{.client = client, .round = assignment.round};
  report.result = {
      .update = {.client = client,
                 .version = assignment.version,
                 .delta = {tensor_of(sent.delta)},
                 .buffers = {tensor_of(sent.means), torch::tensor(sent.counter, torch::kInt64)}},
      .steps = assignment.steps,
      .samples = assignment.steps};
  return report;
}

void LiveServer::report(double now, ClientReport report) {
  const auto found = sent_.find({report.client, report.round});
  if (found != sent_.end() && found->second.arrival < 0) found->second.arrival = arrivals_;
  ++arrivals_;
  server_->report(now, 1.0, std::move(report));
}

}  // namespace convoy::tests
