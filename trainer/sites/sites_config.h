// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::trainer {

/// [sites] of the job file: what `convoy serve` asks of sites that join over the internet.
/// federation.clients says how many take part, federation.liveness_timeout when one is dead.
struct SitesConfig {
  /// Names that may join; then federation.clients is their number or less. Empty: every site whose
  /// certificate is accepted, until there are federation.clients.
  std::vector<std::string> roster;
  /// The run starts when federation.clients have joined, or after so many seconds when min_clients
  /// have; 0: it waits for all.
  double join_timeout = 0.0;
  std::int64_t min_clients = 1;
  /// Most that one site's samples may count for, as a share of all sites' when it joins: what a
  /// site says of its data nobody can check. Smaller: large sites count for less. 1: no bound.
  double max_weight_share = 1.0;
  /// L2 norm of an update (parameters) above which it is refused; 0: none.
  double max_update_norm = 0.0;
  /// The same of the change of its buffers (BatchNorm's means and variances).
  double max_buffer_norm = 0.0;
  /// "server": on the test part of [data], which then must be here; "clients": by the sites' own
  /// validation (federation.validation), weighted by its samples.
  std::string evaluate = "server";
  /// Payloads and log stay after a checkpoint contains them, for replays from the initial model.
  bool keep_updates = false;
  /// Seconds for which the server waits at the end while no site gets on with fetching the final
  /// model.
  double linger = 60.0;
};

}  // namespace convoy::trainer
