// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "trainer/federated/client_data.h"
#include "trainer/federated/private_rounds.h"
#include "trainer/sites/site_job.h"

namespace convoy::trainer {

/// How a site's rounds keep [privacy].
struct SitePrivacy {
  std::optional<PrivateSite> site;  ///< none: the job has no [privacy]
  bool is_spent = false;            ///< the budget leaves no step
};

/// Opens the site's ledger for these data, in the folder that the site's policy names.
/// @throws ConfigError: a ledger held by another process, or damaged.
[[nodiscard]] SitePrivacy make_site_privacy(const SiteJob& job, const std::string& site,
                                            const ClientData& data);

/// What another rank of the site needs, which has no ledger. Nothing where the job has no
/// [privacy].
[[nodiscard]] std::optional<PrivateSite> rank_privacy(const PrivacyConfig& config,
                                                      std::uint64_t key, int rank);

}  // namespace convoy::trainer
