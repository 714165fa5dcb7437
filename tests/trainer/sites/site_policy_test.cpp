// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_policy.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace convoy::trainer {
namespace {

Job private_job() {
  Job job;
  job.privacy.mode = "per_sample";
  job.privacy.rate = 0.1;
  job.privacy.sigma = 1.0;
  job.privacy.epsilon = 8.0;
  job.privacy.ledger = "/of/the/server";
  return job;
}

Job csv_job() {
  Job job;
  job.data.name = "csv";
  job.data.label = "outcome";
  job.data.columns = {"age", "weight"};
  return job;
}

/// "" where the job is allowed.
std::string why(const SitePolicy& policy, const Job& job,
                const std::optional<Sha256>& torchscript = std::nullopt) {
  return refusal_of(policy, job, torchscript).value_or("");
}

TEST(SitePolicy, WithoutAFileAllowsConvoysOwnModels) {
  EXPECT_EQ(why({}, Job{}), "");
  Job job;
  job.model.name = "vit";
  EXPECT_EQ(why({}, job), "");
  EXPECT_EQ(why({}, csv_job()), "");
}

TEST(SitePolicy, RefusesTorchScriptThatItDoesNotList) {
  const Sha256 script = sha256("script");
  Job job;
  job.model.torchscript = "/of/the/server.pt";
  EXPECT_EQ(why({}, job, script),
            "the job's model is a TorchScript file, which could read and write this site's files, "
            "and models.torchscript_sha256 does not list " +
                to_hex(script));
  SitePolicy policy{.torchscript = {sha256("another"), script}};
  EXPECT_EQ(why(policy, job, script), "");
  EXPECT_NE(why(policy, job, sha256("a third")), "");
  // The list of names is about convoy's own models.
  policy.models = {"mlp"};
  EXPECT_EQ(why(policy, job, script), "");
}

TEST(SitePolicy, RefusesAScriptWithoutAHash) {
  Job job;
  job.model.torchscript = "/of/the/server.pt";
  EXPECT_EQ(why({}, job), "model.torchscript: the server has not said which file (SHA-256)");
}

TEST(SitePolicy, AHashMakesAScriptOfAnyJob) {
  EXPECT_NE(why({.models = {"cnn"}}, Job{}, sha256("script")), "");
}

TEST(SitePolicy, AllowsTheModelsThatItNames) {
  const SitePolicy policy{.models = {"mlp", "cnn"}};
  EXPECT_EQ(why(policy, Job{}), "");
  Job job;
  job.model.name = "resnet18";
  EXPECT_EQ(why(policy, job), "model.name = \"resnet18\": the policy allows mlp, cnn");
}

TEST(SitePolicy, LimitsWhatIsReadOfTables) {
  const SitePolicy policy{.columns = {"age", "height"}, .label = "outcome"};
  Job job = csv_job();
  EXPECT_EQ(why(policy, job), "data.columns: the policy does not allow \"weight\"");
  job.data.columns = {"age"};
  EXPECT_EQ(why(policy, job), "");
  job.data.columns.clear();
  EXPECT_EQ(why(policy, job), "data.columns: the job names none, and the policy lists some");
  job = csv_job();
  job.data.label = "name";
  EXPECT_EQ(why(policy, job), "data.label = \"name\": the policy allows \"outcome\"");
  EXPECT_EQ(why({.kinds = {"csv"}}, Job{}), "data.name = \"fashion-mnist\": the policy allows csv");
}

TEST(SitePolicy, LimitsOfTablesAreNotGotRoundByAnotherKind) {
  Job job = csv_job();
  for (const SitePolicy& policy :
       {SitePolicy{.columns = {"age"}, .label = "outcome"}, SitePolicy{.columns = {"age"}},
        SitePolicy{.label = "outcome"}}) {
    for (const std::string kind : {"text", "synthetic", "fashion-mnist"}) {
      job.data.name = kind;
      EXPECT_EQ(why(policy, job), "data.name = \"" + kind +
                                      "\": the policy limits the columns of csv, and data.kinds "
                                      "names no other kind");
    }
  }
  // Who lists it means it.
  job.data.name = "text";
  EXPECT_EQ(why({.kinds = {"csv", "text"}, .columns = {"age"}}, job), "");
  EXPECT_EQ(why({}, job), "");
}

TEST(SitePolicy, WithoutALabelOneOfTheColumnsMayBeLearnt) {
  const SitePolicy policy{.columns = {"age", "weight", "height"}};
  Job job = csv_job();
  EXPECT_EQ(why(policy, job), "data.label: the policy does not allow \"outcome\"");
  job.data.label = "height";
  EXPECT_EQ(why(policy, job), "");
}

TEST(SitePolicy, DemandsPrivacyInAnyOfThreeWays) {
  const std::string refusal = "privacy.mode = \"none\": the policy demands differential privacy";
  EXPECT_EQ(why({.require_privacy = true}, Job{}), refusal);
  EXPECT_EQ(why({.min_sigma = 1.0}, Job{}), refusal);
  EXPECT_EQ(why({.max_epsilon = 3.0}, Job{}), refusal);
  EXPECT_EQ(why({.require_privacy = true, .ledger = "/ledgers"}, private_job()), "");
}

TEST(SitePolicy, DemandsNoiseThatNobodyCanTakeOff) {
  SitePolicy policy{.min_sigma = 1.0, .ledger = "/ledgers"};
  Job job = private_job();
  EXPECT_EQ(why(policy, job), "");
  job.privacy.sigma = 0.99;
  EXPECT_EQ(why(policy, job), "privacy.sigma = 0.99: the policy demands at least 1");
  job = private_job();
  job.privacy.insecure_seed = 7;
  EXPECT_EQ(why(policy, job), "privacy.insecure_seed: the server could take the noise off again");
  policy.allow_insecure_seed = true;
  EXPECT_EQ(why(policy, job), "");
}

TEST(SitePolicy, NeedsALedgerOfItsOwn) {
  EXPECT_EQ(why({}, private_job()),
            "the job has [privacy], and the policy names no folder for the ledger "
            "(privacy.ledger)");
}

TEST(SitePolicy, RefusalsHoldNothingThatHarmsALog) {
  Job job = csv_job();
  job.data.label = "a\nb\x1b[2J";
  EXPECT_EQ(why({.label = "outcome"}, job),
            "data.label = \"a?b?[2J\": the policy allows \"outcome\"");
}

TEST(SitePolicy, DemandsSamples) {
  EXPECT_EQ(refusal_of_samples({}, 1), std::nullopt);
  const SitePolicy policy{.min_samples = 100};
  EXPECT_EQ(refusal_of_samples(policy, 100), std::nullopt);
  EXPECT_EQ(refusal_of_samples(policy, 99), "99 samples: the policy demands at least 100");
}

TEST(SitePolicy, CutsSteps) {
  EXPECT_EQ(steps_allowed({}, 1'000'000), 1'000'000);
  const SitePolicy policy{.max_local_steps = 50};
  EXPECT_EQ(steps_allowed(policy, 51), 50);
  EXPECT_EQ(steps_allowed(policy, 50), 50);
  EXPECT_EQ(steps_allowed(policy, 1), 1);
  Job job;
  job.federation.policy.min_local_steps = 60;
  job.federation.policy.max_local_steps = 200;
  const Job mine = apply(policy, job);
  EXPECT_EQ(mine.federation.policy.max_local_steps, 50);
  EXPECT_EQ(mine.federation.policy.min_local_steps, 50);
  EXPECT_EQ(apply({}, job).federation.policy.max_local_steps, 200);
}

TEST(SitePolicy, CutsBudgetsAndNeverRaisesThem) {
  const SitePolicy policy{.max_epsilon = 3.0, .max_delta = 1e-6, .ledger = "/ledgers"};
  Job job = private_job();
  job.privacy.delta = 1e-5;
  EXPECT_EQ(apply(policy, job).privacy.epsilon, 3.0);
  EXPECT_EQ(apply(policy, job).privacy.delta, 1e-6);
  job.privacy.epsilon = 2.0;
  job.privacy.delta = 1e-7;
  EXPECT_EQ(apply(policy, job).privacy.epsilon, 2.0);
  EXPECT_EQ(apply(policy, job).privacy.delta, 1e-7);
  EXPECT_EQ(apply({}, job).privacy.epsilon, 2.0);
}

TEST(SitePolicy, ALargestEpsilonBringsALargestDelta) {
  Job job = private_job();
  job.privacy.delta = 0.99;
  EXPECT_EQ(apply({.max_epsilon = 3.0}, job).privacy.delta, 1e-5);
  EXPECT_EQ(apply({.max_epsilon = 3.0, .max_delta = 1e-3}, job).privacy.delta, 1e-3)
      << "what the site says itself";
  EXPECT_EQ(apply({.ledger = "/ledgers"}, job).privacy.delta, 0.99);
  job.privacy.delta = 1e-7;
  EXPECT_EQ(apply({.max_epsilon = 3.0}, job).privacy.delta, 1e-7);
}

TEST(SitePolicy, TakesNoPathFromTheServer) {
  Job job = private_job();
  job.run.output = "/a";
  job.data.path = "/b";
  job.model.torchscript = "/c";
  job.model.init = "/d";
  const Job mine = apply({.ledger = "/ledgers"}, job);
  EXPECT_EQ(mine.run.output + mine.data.path + mine.model.torchscript + mine.model.init, "");
  EXPECT_EQ(mine.privacy.ledger, "/ledgers");
  EXPECT_EQ(apply({}, job).privacy.ledger, "");
}

}  // namespace
}  // namespace convoy::trainer
