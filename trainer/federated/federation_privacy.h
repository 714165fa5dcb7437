// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trainer/federated/federation_data.h"
#include "trainer/federated/local_training.h"
#include "trainer/federated/round_rule.h"
#include "trainer/job.h"

namespace convoy::trainer {

/// Rules of clients' rounds, by client.
using RoundRules = std::map<std::int64_t, std::unique_ptr<RoundRule>>;

/// What [privacy] cannot be had with. Reads no data. @throws ConfigError in one line.
void check_federation_privacy(const Job& job);

/// Of a federation whose clients train here; sites on the internet have ledgers of their own.
/// @throws ConfigError where [privacy] names no folder for them.
void check_ledgers(const Job& job);

/// Opens the ledgers of `clients` and makes their rules; none where the job has no [privacy]. Each
/// client is a site, "client<i>", whose data set is its share of the samples.
/// @throws ConfigError: a model with buffers; a ledger inside `run_dir`, held by another process,
///   damaged or spent.
[[nodiscard]] RoundRules make_round_rules(const Job& job, const FederationData& data,
                                          const std::vector<std::int64_t>& clients,
                                          const std::filesystem::path& run_dir);

/// What a run's sites have spent.
struct FederationPrivacy {
  PrivacyConfig config;
  std::map<std::int64_t, PrivacyReport> sites;  ///< by client: the newest report
};

/// As a JSON document.
[[nodiscard]] std::string to_json(const FederationPrivacy& privacy);

}  // namespace convoy::trainer
