// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "trainer/federated/client_data.h"
#include "trainer/federated/round_rule.h"
#include "trainer/sites/site_job.h"

namespace convoy::trainer {

/// How a site's rounds keep [privacy].
struct SitePrivacy {
  std::unique_ptr<RoundRule> rule;  ///< null: the job has none
  bool is_spent = false;            ///< the budget leaves no step
};

/// Opens the site's ledger for these data, in the folder that the site's policy names.
/// @throws ConfigError: a model with buffers; a ledger held by another process, or damaged.
[[nodiscard]] SitePrivacy make_site_privacy(const SiteJob& job, const std::string& site,
                                            const ClientData& data);

}  // namespace convoy::trainer
