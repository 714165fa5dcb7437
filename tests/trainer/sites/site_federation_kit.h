// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/scheduler/journal/audit_report.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "tests/trainer/sites/announcement.h"
#include "trainer/sites/site_federation.h"
#include "trainer/trainer.h"

namespace convoy::tests {

namespace fs = std::filesystem;
using trainer::SiteFederation;

inline trainer::Job sites_job() {
  trainer::Job job = federated_job();
  job.federation.clock = "live";
  job.federation.updates = 40;
  job.sites.keep_updates = true;
  job.sites.evaluate = "clients";
  return job;
}

/// A federation in a folder, and sites that answer at once with random updates.
class Kit {
 public:
  explicit Kit(fs::path folder, trainer::Job job = sites_job())
      : job_(std::move(job)), request_{.run_dir = std::move(folder), .quiet = true} {
    trainer::make_run_dir(request_.run_dir);
  }

  void open(bool without_old_log = false) {
    const trainer::DataInfo info{.input_shape = {job_.data.features}, .classes = job_.data.classes};
    federation_.reset();
    federation_ = std::make_unique<SiteFederation>(job_, request_, info, nullptr, without_old_log);
  }
  /// As a crash leaves it: nothing is written any more.
  void crash() { federation_.reset(); }

  SiteFederation& operator*() { return *federation_; }
  SiteFederation* operator->() { return federation_.get(); }

  /// What the site sends for a round; the same for the same round.
  [[nodiscard]] trainer::TensorPack pack(std::int64_t client, std::int64_t round) const {
    torch::manual_seed(static_cast<std::uint64_t>(1000 * client + round));
    trainer::TensorPack pack;
    for (const auto& like : federation_->shape().like.parameters) {
      pack.parameters.push_back(0.01 * torch::randn_like(like));
    }
    return pack;
  }

  net::UploadBegin upload(const trainer::Assignment& round, const trainer::TensorPack& pack) {
    const std::string site = federation_->book().name_of(round.client);
    return upload(site, round, trainer::to_stream(pack, federation_->shape()));
  }

  net::UploadBegin upload(const std::string& site, const trainer::Assignment& round,
                          const std::vector<std::byte>& stream) {
    const net::UploadBegin begin = announcement(round, stream);
    auto one = federation_->store().begin({.site = site,
                                           .id = begin.update_id,
                                           .bytes = static_cast<std::uint64_t>(begin.bytes),
                                           .sha256 = begin.sha256});
    if (!one.is_finished()) {
      one.write(stream);
      one.finish();
    }
    return begin;
  }

  void join_all() {
    std::vector<SiteFederation::NewSite> sites;
    for (std::int64_t client = 0; client < job_.federation.clients; ++client) {
      sites.push_back({fmt::format("site{}", client), client, 10 + client});
    }
    federation_->join(sites);
  }

  /// The rounds that sites have now, those of before a crash too.
  [[nodiscard]] std::map<std::int64_t, trainer::Assignment> rounds() const {
    return federation_->server().outstanding();
  }

  [[nodiscard]] std::string hash() const {
    const auto& model = *federation_->server().aggregator().model();
    return fmt::format("{:x}", trainer::hash_of(model));
  }

  trainer::Job job_;
  trainer::RunRequest request_;

 private:
  std::unique_ptr<SiteFederation> federation_;
};

/// Lets the next site with a round answer, or time pass.
inline void step(Kit& kit, std::int64_t turn) {
  const auto rounds = kit.rounds();
  if (rounds.empty()) {
    kit->on_time();
    return;
  }
  auto found = rounds.begin();
  std::advance(found, turn % std::ssize(rounds));
  const auto& [client, round] = *found;
  const auto begin = kit.upload(round, kit.pack(client, round.round));
  EXPECT_TRUE(kit->update(kit->book().name_of(client), begin));
}

inline void run_to_the_end(Kit& kit, std::int64_t crash_every, std::int64_t checkpoint_every) {
  kit.job_.checkpoint.every_steps = checkpoint_every;
  kit.open();
  kit.join_all();
  for (std::int64_t turn = 0; !kit->is_due_to_end(); ++turn) {
    ASSERT_LT(turn, 1000);
    step(kit, turn);
    kit->look_after();
    if (crash_every > 0 && turn % crash_every == crash_every - 1) {
      kit.crash();
      kit.open();
    }
  }
  kit->shut_down();
}

inline std::map<std::string, int> contributions(const fs::path& audit) {
  std::map<std::string, int> seen;
  const auto report = read_audit(audit);
  EXPECT_TRUE(report.findings.empty()) << report.findings.front();
  for (const auto& record : report.records) {
    if (record.event.event == "contribution") {
      ++seen[record.event.site + "/" + record.event.update];
    }
  }
  return seen;
}

}  // namespace convoy::tests
