// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation_data.h"

#include "base/errors.h"
#include "base/random.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kClientStream = 0x636c69656e74;  // "client"

}  // namespace

std::uint64_t client_key(const Job& job, std::int64_t client) {
  return mix({job.run.seed, kClientStream, static_cast<std::uint64_t>(client)});
}

ClientData FederationData::client(const Job& job, std::int64_t client) const {
  return {partition[static_cast<std::size_t>(client)], job.federation.validation,
          job.train.batch_size, client_key(job, client)};
}

std::vector<ClientData> FederationData::clients(const Job& job) const {
  std::vector<ClientData> all;
  for (std::int64_t i = 0; i < std::ssize(partition); ++i) all.push_back(client(job, i));
  return all;
}

std::vector<std::int64_t> FederationData::samples(const Job& job) const {
  std::vector<std::int64_t> samples;
  for (const auto& own : clients(job)) samples.push_back(own.train_size());
  return samples;
}

FederationData load_federation_data(const Job& job) {
  FederationData data;
  data.datasets = load_datasets(job.data, job.run.seed);
  const DataInfo& info = data.datasets.train->info();
  require_config(info.task == Task::kClassify || job.data.partition.name == "iid",
                 "data.partition.name = \"" + job.data.partition.name +
                     "\" needs data with classes, which " + job.data.name + " has not");
  const std::int64_t classes = info.task == Task::kClassify ? info.classes : 1;
  const auto labels = sample_classes(*data.datasets.train);
  data.partition =
      make_partition(job.data.partition, labels, classes, job.federation.clients, job.run.seed);
  data.counts = count_classes(data.partition, labels, classes);
  return data;
}

LocalTrainingConfig local_training_config(const Job& job) {
  return {.optimizer = job.train.optimizer,
          .schedule = job.train.schedule,
          .total_updates = job.federation.updates,
          .clip_norm = job.train.clip_norm,
          .proximal = job.federation.proximal,
          .augment = job.data.augment,
          .amp = job.train.amp,
          .evaluate_batch = job.train.evaluate_batch};
}

}  // namespace convoy::trainer
