// SPDX-License-Identifier: Apache-2.0
#include "launch/job/sites_section.h"

namespace convoy::launch {
namespace {

constexpr NumberRange kPositiveShare{.low = 0.0, .high = 1.0, .low_included = false};

}  // namespace

void describe_sites(FieldVisitor& v, trainer::SitesConfig& sites) {
  v.section("sites");
  v.texts("roster", sites.roster);
  v.number("join_timeout", sites.join_timeout, kNotNegative);
  v.integer("min_clients", sites.min_clients, kAtLeastOne);
  v.number("max_weight_share", sites.max_weight_share, kPositiveShare);
  v.number("max_update_norm", sites.max_update_norm, kNotNegative);
  v.number("max_buffer_norm", sites.max_buffer_norm, kNotNegative);
  v.text("evaluate", sites.evaluate, {"server", "clients"});
  v.flag("keep_updates", sites.keep_updates);
  v.number("linger", sites.linger, kNotNegative);
}

}  // namespace convoy::launch
