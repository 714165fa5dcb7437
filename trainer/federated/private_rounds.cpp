// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/private_rounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/errors.h"
#include "comm/values.h"
#include "trainer/federated/update_layers.h"
#include "trainer/privacy/noisy_sum.h"
#include "trainer/privacy/poisson.h"
#include "trainer/privacy/private_model.h"
#include "trainer/privacy/sample_gradients.h"

namespace convoy::trainer {
namespace {

constexpr double kUntold = std::numeric_limits<double>::quiet_NaN();

/// The ledger of a site, as all its ranks see it.
class SiteLedger {
 public:
  explicit SiteLedger(const PrivateSite& site)
      : ledger_(site.ledger.get()),
        ranks_(site.ranks),
        mechanism_(site.config.mechanism()),
        is_secure_(site.entropy->is_secure()) {
    require((ledger_ != nullptr) == is_first(), "a site's ledger is held by its rank 0 alone");
  }

  [[nodiscard]] std::int64_t allowed(std::int64_t wanted) const {
    return same(is_first() ? ledger_->allowed(mechanism_, wanted) : 0);
  }

  /// Returns on all ranks when it is on disk.
  void spend(std::int64_t steps) {
    if (is_first()) ledger_->spend(mechanism_, steps, "federated round", is_secure_);
    (void)same<std::int64_t>(0);
  }

  [[nodiscard]] PrivacyReport report() const {
    PrivacyReport report{.leaves = allowed(1) == 0};
    if (is_first()) {
      report.epsilon = ledger_->spent().epsilon;
      report.steps = ledger_->account().spent.steps();
    }
    report.epsilon = same(report.epsilon);
    report.steps = same(report.steps);
    return report;
  }

 private:
  [[nodiscard]] bool is_first() const { return ranks_ == nullptr || ranks_->rank() == 0; }
  /// Rank 0's value.
  template <typename T>
  [[nodiscard]] T same(T value) const {
    if (ranks_ == nullptr || ranks_->size() == 1) return value;
    return comm::broadcast_values(*ranks_, std::vector<T>{value}, 0).front();
  }

  privacy::Ledger* ledger_;
  comm::Communicator* ranks_;
  privacy::Mechanism mechanism_;
  bool is_secure_;
};

class PerSampleRounds final : public RoundRule {
 public:
  PerSampleRounds(PrivateSite site, const Model& model, const LocalTrainingConfig& training)
      : site_(std::move(site)),
        ledger_(site_),
        sum_(privacy::numel_of(model), site_.config.clip, site_.config.sigma),
        gradients_{.augment = training.augment, .amp = training.amp} {}

  [[nodiscard]] std::int64_t begin(std::int64_t wanted) override { return ledger_.allowed(wanted); }

  [[nodiscard]] StepDone gradient(Model& model, const Dataset& dataset,
                                  ClientData& client) override {
    if (expected_batch_ == 0.0) expected_batch_ = expected_batch(client.train_size());
    const auto batch =
        privacy::poisson_sample(client.train_samples(), site_.config.rate, *site_.entropy);
    privacy::add_sample_gradients(model, dataset, batch, gradients_, *site_.entropy, sum_);
    const auto noisy = sum_.release(*site_.entropy, site_.ranks);
    privacy::put_gradients(model, noisy, 1.0 / expected_batch_);
    return {.loss = 0.0, .samples = std::max<std::int64_t>(1, std::llround(expected_batch_))};
  }

  void end(LocalResult& result) override {
    if (result.steps > 0) ledger_.spend(result.steps);
    result.loss = kUntold;
    result.privacy = ledger_.report();
  }

 private:
  [[nodiscard]] double expected_batch(std::int64_t records) const {
    auto of_site = static_cast<double>(records);
    if (site_.ranks != nullptr) of_site = comm::all_reduce_value(*site_.ranks, of_site);
    return site_.config.rate * of_site;
  }

  PrivateSite site_;
  SiteLedger ledger_;
  privacy::NoisySum sum_;
  privacy::SampleGradientsConfig gradients_;
  double expected_batch_ = 0.0;
};

class PerUpdateRounds final : public RoundRule {
 public:
  PerUpdateRounds(PrivateSite site, const Model& model, std::unique_ptr<RoundRule> steps)
      : site_(std::move(site)),
        ledger_(site_),
        sum_(privacy::numel_of(model), site_.config.clip, site_.config.sigma),
        parameters_(model.parameters()),
        steps_(std::move(steps)) {}

  /// The whole round is one release.
  [[nodiscard]] std::int64_t begin(std::int64_t wanted) override {
    return ledger_.allowed(1) > 0 ? wanted : 0;
  }

  [[nodiscard]] StepDone gradient(Model& model, const Dataset& dataset,
                                  ClientData& client) override {
    StepDone done = steps_->gradient(model, dataset, client);
    done.finite = true;
    return done;
  }

  void end(LocalResult& result) override {
    result.loss = kUntold;
    if (result.steps > 0) {
      ledger_.spend(1);
      add_noise(result.update.delta);
    }
    result.privacy = ledger_.report();
  }

 private:
  void add_noise(std::vector<torch::Tensor>& delta) {
    // The ranks of a site have all trained the same model.
    const bool is_first = site_.ranks == nullptr || site_.ranks->rank() == 0;
    if (is_first) sum_.add(privacy::flat_values(delta, parameters_));
    const auto noisy = sum_.release(*site_.entropy, site_.ranks);
    delta = unflatten(std::vector<float>(noisy.begin(), noisy.end()), delta);
  }

  PrivateSite site_;
  SiteLedger ledger_;
  privacy::NoisySum sum_;
  std::vector<NamedTensor> parameters_;
  std::unique_ptr<RoundRule> steps_;
};

}  // namespace

std::unique_ptr<RoundRule> make_private_rounds(PrivateSite site, const Model& model,
                                               const LocalTrainingConfig& training,
                                               std::unique_ptr<RoundRule> steps) {
  check_config(site.config);
  privacy::require_private(model);
  require(site.config.is_on() && site.entropy != nullptr, "make_private_rounds: no privacy");
  if (site.config.is_per_sample()) {
    return std::make_unique<PerSampleRounds>(std::move(site), model, training);
  }
  if (steps == nullptr) steps = std::make_unique<PlainRounds>(training.augment, training.amp);
  return std::make_unique<PerUpdateRounds>(std::move(site), model, std::move(steps));
}

}  // namespace convoy::trainer
