// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "comm/values.h"
#include "trainer/federated/client_rank.h"
#include "trainer/federated/federated_run.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/federation_privacy.h"
#include "trainer/federated/remote_clients.h"
#include "trainer/federated/step_time.h"
#include "trainer/federated/thread_clients.h"
#include "trainer/federated/update_layers.h"
#include "trainer/precision.h"
#include "trainer/together.h"
#include "trainer/trainer.h"

namespace convoy::trainer {
namespace {

int worker_count(const Job& job, const Model& model) {
  // They would draw from one process-wide generator, in an order that chance decides.
  if (model.draws_from_shared_generator()) return 1;
  const auto processors = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  const std::int64_t wanted =
      job.federation.workers > 0 ? job.federation.workers
                                 : processors / std::max<std::int64_t>(1, job.run.threads_per_rank);
  return static_cast<int>(std::clamp<std::int64_t>(wanted, 1, job.federation.clients));
}

std::unique_ptr<ClientPool> make_thread_clients(const Job& job, const FederationData& data,
                                                const compress::UpdateCodec* codec,
                                                RoundRules& rules) {
  const Dataset& train = *data.datasets.train;
  const auto make_trainer = [&] {
    return std::make_unique<LocalTrainer>(make_model(job.model, train.info(), job.run.seed), train,
                                          local_training_config(job));
  };
  const int workers = worker_count(job, make_trainer()->model());
  return std::make_unique<ThreadClients>(
      make_trainer, workers, data.clients(job), codec,
      [&rules](std::int64_t client) { return std::move(rules[client]); });
}

std::chrono::milliseconds milliseconds(double seconds) {
  constexpr double kLongest = 1e9;
  return std::chrono::milliseconds(std::llround(1000.0 * std::min(seconds, kLongest)));
}

/// Several signs of life within the time after which a silent client is dead.
std::chrono::milliseconds pulse_period(const FederationConfig& config) {
  constexpr double kLongest = 5.0;
  constexpr double kSigns = 6.0;
  return std::max(milliseconds(std::min(config.liveness_seconds() / kSigns, kLongest)),
                  std::chrono::milliseconds(1));
}

/// Of the client with most samples: its batches are full.
double step_seconds_here(const Job& job, const FederationData& data) {
  const Dataset& train = *data.datasets.train;
  LocalTrainer trainer(make_model(job.model, train.info(), job.run.seed), train,
                       local_training_config(job));
  const auto samples = data.samples(job);
  const auto largest = std::max_element(samples.begin(), samples.end()) - samples.begin();
  const double seconds = measure_step_seconds(trainer, data.client(job, largest));
  logger("trainer")->info("a local step takes {:.3g} s here; speeds are factors of it", seconds);
  return seconds;
}

/// The clients that train on this rank.
std::vector<std::int64_t> clients_of(const comm::Communicator& communicator, const Job& job) {
  if (communicator.size() > 1 && communicator.rank() == 0) return {};
  if (communicator.size() > 1) return {communicator.rank() - 1};
  std::vector<std::int64_t> all(static_cast<std::size_t>(job.federation.clients));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

/// All ranks must deal the same samples out; another library of mathematics could draw others.
void require_same_partition(comm::Communicator& communicator, const Partition& partition) {
  std::uint64_t hash = 0;
  for (const auto& own : partition) hash = hash64(std::as_bytes(std::span(own)), hash);
  const auto hashes =
      comm::all_gather_values(communicator, std::vector{static_cast<std::int64_t>(hash)});
  for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
    require_config(hashes[rank] == hashes[0],
                   "rank " + std::to_string(rank) +
                       " deals other samples out than rank 0: do all hosts hold the same data?");
  }
}

FederatedSummary serve(comm::Communicator& communicator, const Job& job, const RunRequest& request,
                       const FederationData& data, RoundRules& rules) {
  if (!request.quiet) std::fputs(format_table(data.counts).c_str(), stderr);
  const auto model = make_model(job.model, data.datasets.train->info(), job.run.seed);
  const auto codec = make_update_codec(job.compression, model->parameters());
  std::unique_ptr<ClientPool> clients;
  if (communicator.size() == 1) {
    clients = make_thread_clients(job, data, codec.get(), rules);
  } else {
    clients = std::make_unique<RemoteClients>(communicator, copy_state(*model), codec.get(),
                                              milliseconds(job.federation.liveness_seconds()));
  }
  const bool measure = job.federation.speed_unit == "measured" && !request.resume;
  const double step_seconds = measure ? step_seconds_here(job, data) : 0.0;
  FederatedRun run(job, request, data, std::move(clients), codec.get(), step_seconds);
  FederatedSummary summary = run.run();
  summary.run.ranks = communicator.size();
  write_file_atomic(request.run_dir / "summary.json", to_json(summary) + "\n");
  run.end_clients();
  return summary;
}

void serve_own_client(comm::Communicator& communicator, const Job& job, const FederationData& data,
                      RoundRules& rules) {
  const Dataset& train = *data.datasets.train;
  LocalTrainer trainer(make_model(job.model, train.info(), job.run.seed), train,
                       local_training_config(job));
  require_config(
      communicator.backend() != "local" || !trainer.model().draws_from_shared_generator(),
      "model.torchscript draws random numbers (dropout) from LibTorch's process-wide "
      "generator, which clients that are ranks of one process would share");
  const auto codec = make_update_codec(job.compression, trainer.model().parameters());
  const std::int64_t number = communicator.rank() - 1;
  ClientEnd client(data.client(job, number), codec.get(), std::move(rules[number]));
  serve_client(communicator, trainer, client, codec.get(), pulse_period(job.federation));
}

}  // namespace

void check_federation(const Job& job, int ranks) {
  check_federated_training(job);
  check_partition(job.data.partition, job.federation.clients);
  check_data(job.data);
  require_config(ranks == 1 || ranks == job.federation.clients + 1,
                 "a federation of " + std::to_string(job.federation.clients) +
                     " clients runs on 1 rank, or on " +
                     std::to_string(job.federation.clients + 1) +
                     " (a server and its clients), not on " + std::to_string(ranks));
}

void check_federated_training(const Job& job) {
  check_config(job.federation);
  check_model(job.model);
  const TrainConfig& train = job.train;
  check_config(train.schedule);
  require_config(train.schedule.name != "cosine" || job.federation.updates > 0,
                 "train.schedule.name = \"cosine\" needs federation.updates: a federation's "
                 "schedule goes by the updates that have reached the server");
  check_precision(train, false);  // sites train on CPUs
  require_config(train.loss_scale == 0.0, "train.loss_scale must be 0 in a federated run");
  require_config(train.accumulate == 1, "train.accumulate must be 1 in a federated run");
  require_config(!train.sync_batchnorm,
                 "train.sync_batchnorm: clients of a federation train alone");
  (void)make_update_codec(job.compression, {});
  check_federation_privacy(job);
}

FederatedSummary federate(comm::Communicator& communicator, const Job& job,
                          const RunRequest& request) {
  FederationData data;
  RoundRules rules;
  together(communicator, [&] {
    check_federation(job, communicator.size());
    make_run_dir(request.run_dir);
    data = load_federation_data(job);
    rules = make_round_rules(job, data, clients_of(communicator, job), request.run_dir);
    if (communicator.rank() == 0 && request.on_accepted) request.on_accepted();
  });
  require_same_partition(communicator, data.partition);
  if (communicator.rank() == 0) return serve(communicator, job, request, data, rules);
  serve_own_client(communicator, job, data, rules);
  return {};
}

}  // namespace convoy::trainer
