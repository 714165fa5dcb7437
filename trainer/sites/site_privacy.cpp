// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_privacy.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "base/random.h"
#include "trainer/privacy/data_identity.h"

namespace convoy::trainer {
namespace {

std::unique_ptr<privacy::Entropy> make_entropy(const PrivacyConfig& config, std::uint64_t key) {
  if (config.insecure_seed == 0) return privacy::os_entropy();
  logger("trainer")->warn("privacy.insecure_seed: this noise protects nobody");
  return privacy::insecure_entropy(mix({static_cast<std::uint64_t>(config.insecure_seed), key}));
}

/// Of data that are no file of the site's.
std::string description_of(const DataConfig& data) {
  if (data.name != "synthetic") return data.name;
  return fmt::format("{} {} {} {}", data.name, data.samples, data.features, data.classes);
}

}  // namespace

privacy::LedgerOwner ledger_owner(const Job& job, const SiteBelongings& own) {
  const std::string share = fmt::format("{}/{}", own.share.index, own.share.of);
  return {.site = own.site,
          .data = own.data_path.empty()
                      ? privacy::identity_of_made_data(description_of(job.data), share)
                      : privacy::identity_of_files(own.data_path, share)};
}

std::optional<std::string> refusal_of_budget(const SitePolicy& policy, const Job& offered) {
  try {
    check_config(apply(policy, offered).privacy);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return std::nullopt;
}

std::unique_ptr<privacy::Ledger> open_site_ledger(const Job& job, const SiteBelongings& own) {
  const PrivacyConfig& config = job.privacy;
  if (!config.is_on()) return nullptr;
  const privacy::LedgerOwner owner = ledger_owner(job, own);
  return std::make_unique<privacy::Ledger>(privacy::ledger_path(config.ledger, owner), owner,
                                           config.budget());
}

std::string require_site_ledger(const Job& job, const SiteBelongings& own) {
  if (!job.privacy.is_on()) return "";
  const privacy::LedgerOwner owner = ledger_owner(job, own);
  const auto path = privacy::ledger_path(job.privacy.ledger, owner);
  privacy::require_ledger(path, owner);
  if (!std::filesystem::exists(path)) return path.string();
  const PrivacyConfig& config = job.privacy;
  const auto spent = privacy::read_account(path).spent;
  const std::string account =
      fmt::format("epsilon {:.6f} of {:.6g} at delta {:.3g}, in {}",
                  spent.spent(config.delta).epsilon, config.epsilon, config.delta, path.string());
  require_config(privacy::steps_allowed(spent, config.budget(), config.mechanism(), 1) > 0,
                 "the privacy budget is spent: " + account);
  return "spent is " + account;
}

SitePrivacy make_site_privacy(SiteJob& job, std::uint64_t key) {
  const PrivacyConfig& config = job.job.privacy;
  if (!config.is_on()) return {};
  const bool is_spent = job.ledger->allowed(config.mechanism(), 1) == 0;
  return {.site = PrivateSite{.config = config,
                              .ledger = std::move(job.ledger),
                              .entropy = make_entropy(config, key)},
          .is_spent = is_spent};
}

std::optional<PrivateSite> rank_privacy(const PrivacyConfig& config, std::uint64_t key, int rank) {
  if (!config.is_on()) return std::nullopt;
  return PrivateSite{.config = config,
                     .ledger = nullptr,
                     .entropy = make_entropy(config, mix({key, static_cast<std::uint64_t>(rank)}))};
}

}  // namespace convoy::trainer
