// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_job.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/update_layers.h"
#include "trainer/precision.h"

namespace convoy::trainer {
namespace {

/// The list of tensors, and what a compressed message says beside its bytes.
constexpr std::int64_t kStreamOverhead = std::int64_t{2} << 20;

void check_site_privacy(const Job& job) {
  if (!job.privacy.is_on()) return;
  check_config(job.privacy);
  require_config(job.federation.validation == 0.0,
                 "federation.validation cannot be had with [privacy]: the site's losses and "
                 "accuracies would be released without noise");
}

/// The site's path is no key of its job file.
void check_own_data(const DataConfig& data) {
  const bool needs_file =
      data.name == "csv" || data.name == "text" || data.name.starts_with("cifar");
  require_config(!data.path.empty() || !needs_file,
                 fmt::format("the job trains on data of the kind \"{}\": say with --data where "
                             "this site's are",
                             data.name));
  check_sites_data(data);
  check_data(data);
}

std::vector<std::int64_t> samples_of(const DataShare& share, std::int64_t size) {
  require_config(share.of >= 1 && share.index >= 0 && share.index < share.of,
                 fmt::format("--share {}/{} is no share", share.index, share.of));
  std::vector<std::int64_t> samples;
  for (std::int64_t i = share.index; i < size; i += share.of) samples.push_back(i);
  require_config(!samples.empty(),
                 fmt::format("no samples: the data set has {} for {} sites", size, share.of));
  return samples;
}

}  // namespace

Job own_job(const Job& offered, const SiteBelongings& own, const std::string& script) {
  Job job = apply(own.policy, offered);
  job.data.path = own.data_path;
  job.model.torchscript = script;
  const TrainConfig& train = job.train;
  check_config(train.schedule);
  check_precision(train, false);  // sites train on CPUs
  require_config(train.loss_scale == 0.0, "train.loss_scale must be 0 in a federated run");
  require_config(train.accumulate == 1, "train.accumulate must be 1 in a federated run");
  require_config(!train.sync_batchnorm, "train.sync_batchnorm: sites train alone");
  check_own_data(job.data);
  check_model(job.model);
  (void)make_update_codec(job.compression, {});
  check_site_privacy(job);
  return job;
}

SiteJob load_site_job(Job job, const DataShare& share) {
  SiteJob loaded;
  loaded.datasets = load_datasets(job.data, job.run.seed);
  const Dataset& train = *loaded.datasets.train;
  loaded.samples = samples_of(share, train.size());
  loaded.schema = schema_of(job.data, train.info());
  loaded.model = make_model(job.model, train.info(), job.run.seed);
  loaded.shape = shape_of(*loaded.model);
  loaded.codec = make_update_codec(job.compression, loaded.model->parameters());
  loaded.job = std::move(job);
  return loaded;
}

ClientData SiteJob::client_data(std::int64_t client) const {
  return {samples, job.federation.validation, job.train.batch_size, client_key(job, client)};
}

std::int64_t longest_stream(const ModelShape& shape) {
  return static_cast<std::int64_t>(bytes_of(shape.like)) + kStreamOverhead;
}

}  // namespace convoy::trainer
