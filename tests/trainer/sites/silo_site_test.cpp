// SPDX-License-Identifier: Apache-2.0
// What a site's ranks make of a server's offer.
#include "trainer/sites/silo_site.h"

#include <torch/script.h>

#include <array>

#include "base/file.h"
#include "base/sha256.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/sites/silo_fixture.h"
#include "trainer/sites/local_site_worker.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

class SiloSiteTest : public testing::Test {
 protected:
  SiloSiteTest() {
    torch::jit::Module module("net");
    torch::manual_seed(1);
    module.register_parameter("weight", torch::randn({8, 4}).set_requires_grad(true), false);
    module.register_attribute("training", torch::jit::BoolType::get(), true);
    module.define("def forward(self, x):\n    return torch.matmul(x, self.weight)\n");
    module.save(path());
    const auto bytes = read_file(path());
    script.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    own.site = "a";
    own.share = {.index = 1, .of = 3};
    own.policy.torchscript = {sha256(script)};
    job.federation.validation = 0.1;
  }

  [[nodiscard]] std::string path() const { return (folder.path() / "net.pt").string(); }
  [[nodiscard]] std::function<Job(const std::string&)> read_job() const {
    return [this](const std::string& toml) {
      EXPECT_EQ(toml, "the job");
      return job;
    };
  }
  [[nodiscard]] SiteJob load(const Job& offered) const {
    return load_site_job(own_job(offered, own, path()), own.share);
  }
  /// Three ranks; `policy` is that of rank 2. @return errors by rank.
  std::array<std::string, 3> join(const SitePolicy& policy) {
    std::array<std::string, 3> errors;
    comm::local::run(3, [&](comm::Communicator& site) {
      try {
        if (site.rank() == 0) return lead(site);
        SiloReader reader{.own = own, .state = folder.path() / "state", .read_job = read_job()};
        if (site.rank() == 2) reader.own.policy = policy;
        serve_site_rank(site, {}, reader);
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(site.rank())] = error.what();
      }
    });
    return errors;
  }

  TemporaryFolder folder;
  std::string script;
  SiteBelongings own;
  Job job = silo_job();
  std::vector<LocalResult> results;

 private:
  void lead(comm::Communicator& site) {
    Silo silo(site);
    SiteJob loaded = load(job);
    const auto worker = make_silo_worker(
        silo, {}, {.job = "the job", .script = script, .number = 2}, loaded, std::nullopt);
    results = run_rounds(worker->model(), {}, [&](const SiteRound& round, const ModelState& start) {
      return worker->train(round, start, {});
    });
  }
};

TEST_F(SiloSiteTest, AllRanksTrainTheServersScriptOnTheSitesShare) {
  for (const auto& error : join(own.policy)) EXPECT_EQ(error, "");
  SiteJob alone = load(with_global_batch(job, 3));
  ClientData data = alone.client_data(2);
  const auto worker = make_local_worker(alone, std::move(data), std::nullopt);
  expect_close(results, run_rounds(worker->model(), {},
                                   [&](const SiteRound& round, const ModelState& start) {
                                     return worker->train(round, start, {});
                                   }));
}

TEST_F(SiloSiteTest, EachRanksOwnPolicyHolds) {
  const auto errors = join(SitePolicy{});
  EXPECT_NE(errors[2], "");
  EXPECT_EQ(errors[0], "rank 2: " + errors[2]);
  EXPECT_EQ(errors[1], "rank 2: " + errors[2]);
}

}  // namespace
}  // namespace convoy::trainer
