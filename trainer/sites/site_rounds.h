// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "trainer/federated/private_rounds.h"
#include "trainer/sites/link_events.h"
#include "trainer/sites/model_keeper.h"
#include "trainer/sites/site_job.h"
#include "trainer/sites/site_worker.h"
#include "trainer/sites/update_box.h"

namespace convoy::trainer {

/// Makes what trains a site's rounds, and takes the model out of the job. @param data  as one
/// process deals it out.
using MakeSiteWorker = std::function<std::unique_ptr<SiteWorker>(
    SiteJob& job, ClientData data, std::optional<PrivateSite> privacy)>;

/// A site that takes part in a run: what it trains with, and what it holds. One thread.
class SiteRounds {
 public:
  struct Place {
    std::string run;
    std::int64_t client = 0;  ///< the site's number in it
  };

  /// Opens `box`, which is borrowed. @param job  with its ledger where it has [privacy].
  /// @throws ConfigError, StorageError; what `make_worker` throws.
  SiteRounds(SiteJob job, const SiteBelongings& own, Place place, UpdateBox& box,
             const MakeSiteWorker& make_worker);

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::int64_t samples() const { return worker_->samples(); }
  /// No further step is allowed: the site leaves.
  [[nodiscard]] bool is_spent() const { return is_spent_; }
  [[nodiscard]] std::optional<double> epsilon() const { return epsilon_; }
  [[nodiscard]] std::int64_t longest_stream() const { return trainer::longest_stream(job_.shape); }
  [[nodiscard]] std::optional<std::int64_t> held_version() const { return keeper_.version(); }

  /// Takes the model that has come with the round, or finds that the one held is meant.
  /// @throws PayloadError where the round cannot start: nothing is held then.
  void take_model(const RoundCame& round);

  /// A round that has been trained, not yet encoded.
  struct Trained {
    LocalResult result;
    net::UploadBegin begin;  ///< but for id, hash and size
  };
  /// From the model that is held, which is the round's. @return nothing where the privacy budget
  /// allowed no step.
  [[nodiscard]] std::optional<Trained> train(const net::Dispatch& round,
                                             const KeepGoing& keep_going);

  /// Writes the run's result as a run of `convoy federate` would.
  /// @return the hash of its parameters, as in the server's summary.
  /// @throws PayloadError where it is not what the server says.
  std::uint64_t save_final(const ReceivedStream& stream, const std::filesystem::path& path) const;

 private:
  [[nodiscard]] net::UploadBegin describe(const net::Dispatch& round, const LocalResult& result,
                                          double seconds) const;

  SiteJob job_;
  const SitePolicy policy_;
  const Place place_;
  bool is_spent_ = false;
  std::optional<double> epsilon_;
  std::unique_ptr<SiteWorker> worker_;
  ModelKeeper keeper_;
};

}  // namespace convoy::trainer
