// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/local_site_worker.h"

#include <utility>

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

}  // namespace convoy::trainer
