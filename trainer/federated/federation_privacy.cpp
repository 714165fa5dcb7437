// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation_privacy.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/random.h"
#include "trainer/federated/private_rounds.h"
#include "trainer/privacy/fingerprint.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<privacy::Ledger> open_ledger(const PrivacyConfig& config,
                                             const privacy::LedgerOwner& owner) {
  auto ledger = std::make_unique<privacy::Ledger>(privacy::ledger_path(config.ledger, owner), owner,
                                                  config.budget());
  const auto spent = ledger->spent();
  require_config(ledger->allowed(config.mechanism(), 1) == 1,
                 fmt::format("privacy budget: {} has spent epsilon {:.6f} of {} at delta {}, which "
                             "leaves no step",
                             ledger->path().string(), spent.epsilon, config.epsilon, config.delta));
  return ledger;
}

std::unique_ptr<privacy::Entropy> make_entropy(const PrivacyConfig& config, std::int64_t client) {
  if (config.insecure_seed == 0) return privacy::os_entropy();
  return privacy::insecure_entropy(
      mix({static_cast<std::uint64_t>(config.insecure_seed), static_cast<std::uint64_t>(client)}));
}

}  // namespace

void check_federation_privacy(const Job& job) {
  if (!job.privacy.is_on()) return;
  check_config(job.privacy);
  require_config(job.federation.clock != "virtual",
                 "federation.clock = \"virtual\" cannot be had with [privacy]: a run that can be "
                 "repeated is one whose noise can be taken off; take \"throttled\" or \"live\"");
  require_config(job.federation.validation == 0.0,
                 "federation.validation cannot be had with [privacy]: the clients' losses and "
                 "accuracies would be released without noise");
}

void check_ledgers(const Job& job) {
  require_config(!job.privacy.is_on() || !job.privacy.ledger.empty(),
                 "privacy.ledger must name the folder of the ledgers, outside the run directory");
}

RoundRules make_round_rules(const Job& job, const FederationData& data,
                            const std::vector<std::int64_t>& clients, const fs::path& run_dir) {
  RoundRules rules;
  if (!job.privacy.is_on()) return rules;
  check_ledgers(job);
  require_config(!is_inside(job.privacy.ledger, run_dir),
                 "privacy.ledger must lie outside the run directory " + run_dir.string() +
                     ": what is spent stays spent when a run is deleted");
  if (job.privacy.insecure_seed != 0) {
    logger("trainer")->warn("privacy.insecure_seed: this noise protects nobody");
  }
  const Dataset& train = *data.datasets.train;
  const auto model = make_model(job.model, train.info(), job.run.seed);
  for (const auto client : clients) {
    const ClientData own = data.client(job, client);
    const privacy::LedgerOwner owner{.site = "client" + std::to_string(client),
                                     .data = privacy::fingerprint(train, own.train_samples())};
    rules[client] = make_private_rounds({.config = job.privacy,
                                         .ledger = open_ledger(job.privacy, owner),
                                         .entropy = make_entropy(job.privacy, client)},
                                        *model, local_training_config(job));
  }
  return rules;
}

std::string to_json(const FederationPrivacy& privacy) {
  const PrivacyConfig& config = privacy.config;
  nlohmann::ordered_json json{{"mode", config.mode},
                              {"protects", config.is_per_sample() ? "record" : "site"},
                              {"clip", config.clip},
                              {"sigma", config.sigma},
                              {"rate", config.mechanism().q},
                              {"delta", config.delta},
                              {"budget", config.epsilon},
                              {"insecure", config.insecure_seed != 0},
                              {"sites", nlohmann::ordered_json::array()}};
  for (const auto& [client, report] : privacy.sites) {
    nlohmann::ordered_json site{
        {"client", client}, {"epsilon", report.epsilon}, {"steps", report.steps}};
    if (report.leaves) site["left"] = "privacy budget";
    json["sites"].push_back(std::move(site));
  }
  return json.dump();
}

}  // namespace convoy::trainer
