// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "compress/compression_config.h"
#include "trainer/data/dataset.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/local_training.h"
#include "trainer/federated/private_rounds.h"
#include "trainer/job.h"
#include "trainer/models/model.h"
#include "trainer/parallel/data_parallel.h"
#include "trainer/parallel/placement.h"
#include "trainer/sites/silo_rounds.h"
#include "trainer/sites/site_worker.h"

namespace convoy::trainer {

/// What each rank of a site trains with; the same on all ranks but where it says so.
struct SiloSetup {
  /// As the site trains it: [communication], run.device and paths are its own, not the server's.
  Job job;
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::int64_t> samples;  ///< of the site, in its data set
  double validation = 0.0;            ///< as ClientData
  std::uint64_t key = 0;              ///< as ClientData
  std::unique_ptr<Model> model;
  /// Where the site trains with [privacy]: the ledger on rank 0 alone, each rank's own entropy.
  /// `ranks` is set here.
  std::optional<PrivateSite> privacy;
  /// Of gradients between the ranks. The job's own [compression] is of updates to the server. What
  /// it remembers goes on from round to round, and is lost with the process.
  compress::CompressionConfig compression;
  Placement placement;  ///< of this rank
};

/// One rank of a site that trains data-parallel: LocalTrainer on every rank, with rounds that make
/// the same gradients everywhere. With per-sample privacy each rank has its part of the records
/// and makes no gradient but their noisy sum. Borrows the communicator. Collective throughout.
class SiloRank {
 public:
  /// @throws ConfigError, on all ranks, for a site that has fewer samples than ranks, for ranks
  ///   with other samples than rank 0, and for what cannot be had together.
  SiloRank(comm::Communicator& site, SiloSetup setup);

  /// As LocalTrainer::run(); the same result on all ranks, where `start` is the same.
  /// @param keep_going  rank 0's decides.
  /// @throws what training throws, on one rank: then the others, whose errors name it, are told by
  ///   Communicator::give_up().
  [[nodiscard]] LocalResult train(const SiteRound& round, const ModelState& start,
                                  const KeepGoing& keep_going);

  [[nodiscard]] std::int64_t position() const { return data_->position(); }
  /// That are trained on, of all ranks.
  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] const Model& model() const { return trainer_->model(); }
  /// Samples of a full global batch by rank, where speed decides; else empty.
  [[nodiscard]] std::vector<std::int64_t> parts() const;

 private:
  void make_local(SiloSetup& setup);
  void start_parallel(const compress::CompressionConfig& compression);
  void make_rule(SiloSetup& setup);
  [[nodiscard]] bool is_per_sample() const;
  [[nodiscard]] LocalResult run(const SiteRound& round, const ModelState& start,
                                const KeepGoing& keep_going);
  /// Rank 0's answer, on all ranks.
  [[nodiscard]] bool agreed(const KeepGoing& own) const;
  void share_validation(LocalResult& result) const;

  comm::Communicator& site_;
  Job job_;
  std::shared_ptr<const Dataset> dataset_;
  Placement placement_;
  std::optional<ClientData> data_;
  std::int64_t samples_ = 0;
  bool validates_ = false;  ///< some rank has samples for it
  std::unique_ptr<LocalTrainer> trainer_;
  std::unique_ptr<DataParallel> parallel_;
  std::unique_ptr<RoundRule> rule_;
  SiloRounds* plain_ = nullptr;  ///< rule_ or inside it; null with per-sample privacy
};

}  // namespace convoy::trainer
