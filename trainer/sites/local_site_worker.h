// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "trainer/data/dataset.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/local_training.h"
#include "trainer/federated/private_rounds.h"
#include "trainer/federated/round_rule.h"
#include "trainer/sites/site_job.h"
#include "trainer/sites/site_worker.h"

namespace convoy::trainer {

/// A site that is one process.
class LocalSiteWorker final : public SiteWorker {
 public:
  /// @param rule  of its rounds; null: plain ones.
  LocalSiteWorker(std::unique_ptr<Model> model, std::shared_ptr<const Dataset> dataset,
                  ClientData data, LocalTrainingConfig config,
                  std::unique_ptr<RoundRule> rule = nullptr);

  [[nodiscard]] LocalResult train(const SiteRound& round, const ModelState& start,
                                  const KeepGoing& keep_going) override;
  [[nodiscard]] std::int64_t position() const override { return data_.position(); }
  [[nodiscard]] std::int64_t samples() const override { return data_.train_size(); }
  [[nodiscard]] const Model& model() const override { return trainer_.model(); }

 private:
  std::shared_ptr<const Dataset> dataset_;  // with whoever has loaded it
  ClientData data_;
  LocalTrainer trainer_;
  std::unique_ptr<RoundRule> rule_;
};

/// Takes the model out of `job`. @throws ConfigError as make_private_rounds().
[[nodiscard]] std::unique_ptr<SiteWorker> make_local_worker(SiteJob& job, ClientData data,
                                                            std::optional<PrivateSite> privacy);

}  // namespace convoy::trainer
