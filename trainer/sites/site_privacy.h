// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "trainer/federated/private_rounds.h"
#include "trainer/privacy/ledger.h"
#include "trainer/sites/site_job.h"

namespace convoy::trainer {

/// Whose budget a job spends. It is named by the site's files and its share of them alone: seed,
/// kind, columns and limit are the server's, and another choice of them opens no other ledger.
/// Reads all files of the site's data. @throws ConfigError.
[[nodiscard]] privacy::LedgerOwner ledger_owner(const Job& job, const SiteBelongings& own);

/// Why the budget that the policy leaves allows not even one step of the offered job, in a line for
/// the site's eyes; none: it allows one, or the job has no [privacy].
[[nodiscard]] std::optional<std::string> refusal_of_budget(const SitePolicy& policy,
                                                           const Job& offered);

/// Opens the site's ledger in the folder that its policy names; null: the job has no [privacy].
/// @param job  of own_job(). @throws ConfigError: a folder that cannot be made or written, a ledger
///   held by another process, or damaged.
[[nodiscard]] std::unique_ptr<privacy::Ledger> open_site_ledger(const Job& job,
                                                                const SiteBelongings& own);
/// Whether that would go well, by looking: a process of the site that trains may hold it.
/// @return where the ledger is, and what of it is spent; empty without [privacy].
/// @throws ConfigError; also where the budget is spent.
std::string require_site_ledger(const Job& job, const SiteBelongings& own);

/// How a site's rounds keep [privacy].
struct SitePrivacy {
  std::optional<PrivateSite> site;  ///< none: the job has no [privacy]
  bool is_spent = false;            ///< the budget leaves no step
};

/// Takes the ledger out of `job`. @param key  ClientData::key().
[[nodiscard]] SitePrivacy make_site_privacy(SiteJob& job, std::uint64_t key);

/// What another rank of the site needs, which has no ledger. Nothing where the job has no
/// [privacy].
[[nodiscard]] std::optional<PrivateSite> rank_privacy(const PrivacyConfig& config,
                                                      std::uint64_t key, int rank);

}  // namespace convoy::trainer
