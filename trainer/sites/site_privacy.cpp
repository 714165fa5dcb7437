// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_privacy.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "trainer/privacy/fingerprint.h"

namespace convoy::trainer {
namespace {

std::unique_ptr<privacy::Entropy> make_entropy(const PrivacyConfig& config, std::uint64_t key) {
  if (config.insecure_seed == 0) return privacy::os_entropy();
  logger("trainer")->warn("privacy.insecure_seed: this noise protects nobody");
  return privacy::insecure_entropy(mix({static_cast<std::uint64_t>(config.insecure_seed), key}));
}

}  // namespace

SitePrivacy make_site_privacy(const SiteJob& job, const std::string& site, const ClientData& data) {
  const PrivacyConfig& config = job.job.privacy;
  if (!config.is_on()) return {};
  const privacy::LedgerOwner owner{
      .site = site, .data = privacy::fingerprint(*job.datasets.train, data.train_samples())};
  auto ledger = std::make_unique<privacy::Ledger>(privacy::ledger_path(config.ledger, owner), owner,
                                                  config.budget());
  const bool is_spent = ledger->allowed(config.mechanism(), 1) == 0;
  return {.site = PrivateSite{.config = config,
                              .ledger = std::move(ledger),
                              .entropy = make_entropy(config, data.key())},
          .is_spent = is_spent};
}

std::optional<PrivateSite> rank_privacy(const PrivacyConfig& config, std::uint64_t key, int rank) {
  if (!config.is_on()) return std::nullopt;
  return PrivateSite{.config = config,
                     .ledger = nullptr,
                     .entropy = make_entropy(config, mix({key, static_cast<std::uint64_t>(rank)}))};
}

}  // namespace convoy::trainer
