// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/local_site_worker.h"

#include <utility>

#include "trainer/federated/federation_data.h"

namespace convoy::trainer {

LocalSiteWorker::LocalSiteWorker(std::unique_ptr<Model> model,
                                 std::shared_ptr<const Dataset> dataset, ClientData data,
                                 LocalTrainingConfig config, std::unique_ptr<RoundRule> rule)
    : dataset_(std::move(dataset)),
      data_(std::move(data)),
      trainer_(std::move(model), *dataset_, std::move(config)),
      rule_(std::move(rule)) {}

LocalResult LocalSiteWorker::train(const SiteRound& round, const ModelState& start,
                                   const KeepGoing& keep_going) {
  data_.set_position(round.position);
  return trainer_.run(data_, start, round.steps, keep_going, round.updates, rule_.get());
}

std::unique_ptr<SiteWorker> make_local_worker(SiteJob& job, ClientData data,
                                              std::optional<PrivateSite> privacy) {
  const LocalTrainingConfig training = local_training_config(job.job);
  std::unique_ptr<RoundRule> rule;
  if (privacy) rule = make_private_rounds(std::move(*privacy), *job.model, training);
  return std::make_unique<LocalSiteWorker>(std::move(job.model), job.datasets.train,
                                           std::move(data), training, std::move(rule));
}

}  // namespace convoy::trainer
