// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "trainer/sites/silo_worker.h"
#include "trainer/sites/site_job.h"

namespace convoy::trainer {

/// What a site says of its own ranks; nothing of it comes from a server.
struct SiloInside {
  CommunicationConfig communication;
  compress::CompressionConfig compression;  ///< of gradients
  Placement placement;                      ///< of this rank
  // In place of the server's train.balance and train.balance_every: it does not know the ranks.
  std::optional<std::string> balance{};
  std::optional<std::int64_t> balance_every{};
};

/// The bytes of a TorchScript file that a server has sent; none where there is no path.
[[nodiscard]] std::string read_script(const std::string& path);

/// What trains a site on all its ranks. Takes the model out of `job`, which is what the offer has
/// become here. @param privacy  with the ledger. @throws as Silo::start().
[[nodiscard]] std::unique_ptr<SiteWorker> make_silo_worker(Silo& silo, const SiloInside& inside,
                                                           const SiloOffer& offer, SiteJob& job,
                                                           std::optional<PrivateSite> privacy);

/// What the ranks beside rank 0 read a job with. All ranks have the same options, but their host's
/// files.
struct SiloReader {
  SiteBelongings own;
  std::filesystem::path state;  ///< folder for a TorchScript file, beside those of other ranks
  std::function<Job(const std::string& toml)> read_job;
};

/// Serves rank 0, which talks to the server, until it is done: see serve_silo().
void serve_site_rank(comm::Communicator& site, const SiloInside& inside, const SiloReader& reader);

}  // namespace convoy::trainer
