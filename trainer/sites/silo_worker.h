// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "trainer/sites/silo_rank.h"
#include "trainer/sites/site_worker.h"

namespace convoy::trainer {

/// What a server has told rank 0 of a site.
struct SiloOffer {
  std::string job;          ///< text
  std::string script;       ///< the bytes of the model's TorchScript file; empty: it needs none
  std::int64_t number = 0;  ///< of the site among the job's
};

/// Makes what this rank trains with. Called on all ranks of the site with the same offer; where it
/// throws on one, all ranks throw, see together(). Reads the site's own files and options.
using MakeSilo = std::function<SiloSetup(const SiloOffer&)>;

/// Rank 0's hold on the other ranks of its site, which wait in serve_silo() until it goes. Rank 0
/// talks to the server meanwhile, for as long as that takes. Borrows the communicator, and leaves
/// it to the ranks' training between two calls. One thread.
class Silo {
 public:
  explicit Silo(comm::Communicator& site) : site_(site) {}
  /// Ends the other ranks, unless something has gone wrong there: then they end by themselves.
  ~Silo();
  Silo(const Silo&) = delete;
  Silo& operator=(const Silo&) = delete;

  [[nodiscard]] int ranks() const { return site_.size(); }
  /// Prepares all ranks for a job; what it has prepared before is gone. The worker lives no longer
  /// than this object, and tells the other ranks of each round; its errors end them.
  /// @throws what `make` throws; as SiloRank.
  [[nodiscard]] std::unique_ptr<SiteWorker> start(const SiloOffer& offer, const MakeSilo& make);

 private:
  class Worker;

  comm::Communicator& site_;
  bool failed_ = false;
};

/// What the other ranks of a site do: they wait for rank 0, nearly without using a processor, and
/// train with it. Returns when rank 0 is done. @throws what training throws; CommError that names
/// rank 0 when it has ended otherwise.
void serve_silo(comm::Communicator& site, const MakeSilo& make);

}  // namespace convoy::trainer
