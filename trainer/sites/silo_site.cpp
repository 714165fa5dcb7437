// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/silo_site.h"

#include <span>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/private_folder.h"
#include "base/sha256.h"
#include "trainer/sites/site_privacy.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

SiloSetup setup_of(SiteJob& job, std::int64_t number, const SiloInside& inside,
                   std::optional<PrivateSite> privacy) {
  SiloSetup setup;
  setup.job = job.job;
  setup.job.communication = inside.communication;
  if (inside.balance) setup.job.train.balance = *inside.balance;
  if (inside.balance_every) setup.job.train.balance_every = *inside.balance_every;
  setup.dataset = job.datasets.train;
  setup.samples = job.samples;
  setup.validation = job.job.federation.validation;
  setup.key = job.client_data(number).key();
  setup.model = std::move(job.model);
  setup.privacy = std::move(privacy);
  setup.compression = inside.compression;
  setup.placement = inside.placement;
  return setup;
}

/// The script where this rank can read it. Ranks of one host may share the folder.
std::string keep_script(const std::string& script, const fs::path& state, int rank) {
  if (script.empty()) return "";
  make_private_folder(state);
  const auto path = state / ("model.torchscript.rank" + std::to_string(rank));
  write_private_file_atomic(path, std::as_bytes(std::span(script)));
  return path.string();
}

/// Each rank's host has a policy of its own.
void require_allowed(const SiloOffer& offer, const Job& job, const SitePolicy& policy) {
  std::optional<Sha256> script;
  if (!offer.script.empty()) script = sha256(offer.script);
  const auto refusal = refusal_of(policy, job, script);
  require_config(!refusal, refusal.value_or(""));
}

}  // namespace

std::string read_script(const std::string& path) {
  if (path.empty()) return "";
  const auto bytes = read_private_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unique_ptr<SiteWorker> make_silo_worker(Silo& silo, const SiloInside& inside,
                                             const SiloOffer& offer, SiteJob& job,
                                             std::optional<PrivateSite> privacy) {
  return silo.start(offer, [&](const SiloOffer&) {
    return setup_of(job, offer.number, inside, std::move(privacy));
  });
}

void serve_site_rank(comm::Communicator& site, const SiloInside& inside, const SiloReader& reader) {
  serve_silo(site, [&](const SiloOffer& offer) {
    const Job offered = reader.read_job(offer.job);
    require_allowed(offer, offered, reader.own.policy);
    const std::string script = keep_script(offer.script, reader.state, site.rank());
    SiteJob job = load_site_job(own_job(offered, reader.own, script), reader.own.share);
    auto privacy = rank_privacy(job.job.privacy, job.client_data(offer.number).key(), site.rank());
    return setup_of(job, offer.number, inside, std::move(privacy));
  });
}

}  // namespace convoy::trainer
