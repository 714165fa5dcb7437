// SPDX-License-Identifier: Apache-2.0
#include "launch/job/job_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/errors.h"

namespace convoy::launch {
namespace {

constexpr const char* kGoodJob = R"(
[run]
name = "first"
seed = 7
threads_per_rank = 2

[data]
name = "synthetic"
validation = 0.25

[model]
name = "mlp"

[train]
epochs = 3
batch_size = 32
optimizer = {name = "adamw", lr = 1}

[train.schedule]
name = "cosine"
warmup_steps = 10

[communication]
backend = "local"
local_ranks = 4
)";

trainer::Job parse(const std::string& text, const std::vector<std::string>& sets = {}) {
  return parse_job(text, "job.toml", sets);
}

/// The message that parsing ends with; empty where it succeeds.
std::string error_of(const std::string& text, const std::vector<std::string>& sets = {}) {
  try {
    (void)parse(text, sets);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::string train_error(const std::string& line) {
  return error_of("[train]\nsteps = 5\n" + line + "\n");
}

TEST(JobFile, OverlapIsAFlagOrNextForward) {
  const auto with = [](const std::string& overlap, const std::string& train = "") {
    return "[train]\nsteps = 5\n" + train + "\n[communication]\noverlap = " + overlap + "\n";
  };
  for (const std::string value : {"true", "false", "next_forward"}) {
    const trainer::Job job = parse(with(value == "next_forward" ? '"' + value + '"' : value));
    EXPECT_EQ(job.communication.overlap, value);
    EXPECT_EQ(parse(job_text(job)).communication.overlap, value);
  }
  EXPECT_EQ(error_of(with("\"always\"")),
            "job.toml:5: communication.overlap must be true, false or \"next_forward\", not "
            "\"always\"");
  EXPECT_EQ(error_of(with("1")),
            "job.toml:5: communication.overlap must be true, false or \"next_forward\", not an "
            "integer");
}

TEST(JobFile, ChunksAreANumberOrAuto) {
  const auto with = [](const std::string& chunk) {
    return "[train]\nsteps = 5\n[communication]\nchunk_kb = " + chunk + "\n";
  };
  EXPECT_EQ(parse(with("64")).communication.chunk_kb, 64);
  const trainer::Job job = parse(with("\"auto\""));
  EXPECT_EQ(job.communication.chunk_kb, 0);
  EXPECT_NE(job_text(job).find("chunk_kb = 'auto'"), std::string::npos) << job_text(job);
  EXPECT_EQ(parse(job_text(job)).communication.chunk_kb, 0);
  EXPECT_EQ(error_of(with("0")), "job.toml:4: communication.chunk_kb must be at least 1, not 0");
  EXPECT_EQ(error_of(with("\"big\"")),
            "job.toml:4: communication.chunk_kb must be an integer or \"auto\", not a string");
}

TEST(JobFile, NextForwardIsRefusedWithWhatNeedsAllGradients) {
  const auto error_with = [](const std::string& line) {
    return error_of("[train]\nsteps = 5\n" + line +
                    "\n[communication]\noverlap = \"next_forward\"\n");
  };
  const std::string what =
      "job.toml:5: communication.overlap = \"next_forward\" cannot be had with job.toml:3: ";
  EXPECT_EQ(error_with("clip_norm = 1.0"),
            what + "train.clip_norm: the norm is known when all gradients are");
  EXPECT_EQ(error_with("on_nonfinite = \"skip\""),
            what + "train.on_nonfinite = \"skip\": layers step before all gradients are known");
  EXPECT_TRUE(error_with("find_unused = true").starts_with(what + "train.find_unused: "));
  EXPECT_EQ(error_with("on_nonfinite = \"stop\""), "");
}

TEST(JobFile, FillsWhatIsGiven) {
  const trainer::Job job = parse(kGoodJob);
  EXPECT_EQ(job.run.name, "first");
  EXPECT_EQ(job.run.seed, 7U);
  EXPECT_EQ(job.run.threads_per_rank, 2);
  EXPECT_EQ(job.data.name, "synthetic");
  EXPECT_EQ(job.data.validation, 0.25);
  EXPECT_EQ(job.train.epochs, 3);
  EXPECT_EQ(job.train.batch_size, 32);
  EXPECT_EQ(job.train.optimizer.name, "adamw");
  EXPECT_EQ(job.train.optimizer.lr, 1.0) << "an integer where a number is wanted";
  EXPECT_EQ(job.train.schedule.name, "cosine");
  EXPECT_EQ(job.train.schedule.warmup_steps, 10);
  EXPECT_EQ(job.communication.local_ranks, 4);
}

TEST(JobFile, KeepsDefaultsOfTheRest) {
  const trainer::Job job = parse("[train]\nsteps = 1\n");
  const trainer::Job defaults;
  EXPECT_EQ(job.run.name, defaults.run.name);
  EXPECT_EQ(job.data.path, "");
  EXPECT_EQ(job.train.batch_size, defaults.train.batch_size);
  EXPECT_EQ(job.train.optimizer.momentum, defaults.train.optimizer.momentum);
  EXPECT_EQ(job.metrics.every_steps, defaults.metrics.every_steps);
}

TEST(JobFile, TableAndInlineTableAreTheSame) {
  const auto inlined = parse("[train]\nsteps = 1\noptimizer = {lr = 0.3, nesterov = true}\n");
  const auto table = parse("[train]\nsteps = 1\n[train.optimizer]\nlr = 0.3\nnesterov = true\n");
  EXPECT_EQ(job_text(inlined), job_text(table));
  EXPECT_EQ(inlined.train.optimizer.lr, 0.3);
}

TEST(JobFile, ResolvedJobReadsBackAsTheSame) {
  trainer::Job job = parse(kGoodJob);
  job.train.optimizer.lr = 0.1 + 0.2;  // all 17 digits matter
  job.data.label = "a \"quoted\" \\ label\nof two lines, caf\u00e9";
  const std::string text = job_text(job);
  const trainer::Job again = parse(text);
  EXPECT_EQ(job_text(again), text);
  EXPECT_EQ(again.train.optimizer.lr, job.train.optimizer.lr);
  EXPECT_EQ(again.data.label, job.data.label);
}

TEST(JobFile, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(train_error("batch_sise = 3"),
            "job.toml:3: unknown key \"batch_sise\" in [train]; did you mean \"batch_size\"?");
  EXPECT_EQ(train_error("optimiser = {lr = 1}"),
            "job.toml:3: unknown section [train.optimiser]; did you mean [train.optimizer]?");
  EXPECT_EQ(train_error("lr = 0.1"),
            "job.toml:3: unknown key \"lr\" in [train]; did you mean \"lr\" in [train.optimizer]?");
  EXPECT_EQ(error_of("[trian]\nsteps = 1\n"),
            "job.toml:1: unknown section [trian]; did you mean [train]?");
  EXPECT_EQ(error_of("sed = 1\n[train]\nsteps = 1\n"),
            "job.toml:1: unknown key \"sed\" outside any section; did you mean \"seed\" in [run]?");
}

TEST(JobFile, ReportsTheFirstUnknownKeyOfTheFile) {
  EXPECT_EQ(train_error("zzz = 1\naaa = 2").rfind("job.toml:3: unknown key \"zzz\"", 0), 0U);
}

TEST(JobFile, WrongTypesNameBoth) {
  EXPECT_EQ(train_error("batch_size = \"3\""),
            "job.toml:3: train.batch_size must be an integer, not a string");
  EXPECT_EQ(train_error("batch_size = 3.5"),
            "job.toml:3: train.batch_size must be an integer, not a number");
  EXPECT_EQ(train_error("clip_norm = true"),
            "job.toml:3: train.clip_norm must be a number, not a boolean");
  EXPECT_EQ(train_error("find_unused = 1"),
            "job.toml:3: train.find_unused must be true or false, not an integer");
  EXPECT_EQ(train_error("buffers = [1]"),
            "job.toml:3: train.buffers must be a string, not an array of numbers");
  EXPECT_EQ(train_error("buffers = 2020-01-01"),
            "job.toml:3: train.buffers must be a string, not a date");
  EXPECT_EQ(train_error("optimizer = \"sgd\""),
            "job.toml:3: train.optimizer must be a table, not a string");
  EXPECT_EQ(error_of("train = 3\n"), "job.toml:1: train must be a table, not an integer");
}

TEST(JobFile, ImpossibleValuesSayWhatIsPossible) {
  EXPECT_EQ(train_error("batch_size = 0"),
            "job.toml:3: train.batch_size must be at least 1, not 0");
  EXPECT_EQ(train_error("optimizer = {lr = -0.1}"),
            "job.toml:3: train.optimizer.lr must be at least 0, not -0.1");
  EXPECT_EQ(train_error("optimizer = {lr = nan}"),
            "job.toml:3: train.optimizer.lr must be at least 0, not nan");
  EXPECT_EQ(train_error("[data]\nvalidation = 1"),
            "job.toml:4: data.validation must be in [0, 1), not 1");
  EXPECT_EQ(train_error("[run]\nthreads_per_rank = 0"),
            "job.toml:4: run.threads_per_rank must be in 1..1024, not 0");
  EXPECT_EQ(train_error("buffers = \"sum\""),
            "job.toml:3: train.buffers must be one of \"broadcast\", \"average\", not \"sum\"");
  EXPECT_EQ(train_error("[run]\nname = \"a/b\""),
            "job.toml:4: run.name must be a folder's name, not \"a/b\"");
}

TEST(JobFile, WantsExactlyOneLength) {
  EXPECT_EQ(error_of("[train]\nsteps = 5\nepochs = 2\n"),
            "job.toml:2: train.steps and train.epochs: give only one of them");
  EXPECT_EQ(error_of("[run]\n[train]\n"), "job.toml:2: [train] needs epochs or steps, at least 1");
  EXPECT_EQ(error_of(""), "[train] needs epochs or steps, at least 1");
  EXPECT_EQ(error_of("[train]\nsteps = -5\n"),
            "job.toml:2: train.steps must be at least 0, not -5");
}

TEST(JobFile, RefusesCombinationsThatCannotWork) {
  EXPECT_EQ(train_error("optimizer = {nesterov = true, momentum = 0}"),
            "job.toml:3: train.optimizer.nesterov needs train.optimizer.momentum above 0");
  EXPECT_EQ(train_error("schedule = {name = \"step\"}"),
            "job.toml:3: train.schedule.name = \"step\" needs train.schedule.step_every, at least "
            "1");
}

TEST(JobFile, NamesTheCompressionKeyThatCannotBe) {
  EXPECT_EQ(train_error("[compression]\nfamily = \"quantise\""),
            "job.toml:4: compression.family must be one of \"none\", \"half\", \"quantize\", "
            "\"top_k\", \"power_sgd\", not \"quantise\"");
  EXPECT_EQ(train_error("[compression]\nfamily = \"quantize\"\nlevel = 9"),
            "job.toml:5: compression.level = 9: quantize has 1 to 8 bits");
  EXPECT_EQ(train_error("[compression]\nfamily = \"top_k\"\ncandidates = [0.1, 2]"),
            "job.toml:5: compression.candidates = 2: top_k has densities above 0, up to 1");
  EXPECT_EQ(train_error("[compression]\nfamily = \"top_k\"\ncandidates = [0.1, \"x\"]"),
            "job.toml:5: compression.candidates must be an array of numbers, not a mixed array");
  EXPECT_EQ(train_error("[compression]\nfamily = \"top_k\"\nexclude = \"fc*\""),
            "job.toml:5: compression.exclude must be an array of strings, not a string");
  EXPECT_EQ(train_error("[compression]\nplan_lag = 200"),
            "job.toml:4: compression.plan_lag = 200: must not be above adapt_every = 100");
}

TEST(JobFile, TakesNcclButForFederations) {
  const std::string nccl = "[communication]\nbackend = \"nccl\"";
  EXPECT_EQ(parse("[train]\nsteps = 1\n" + nccl).communication.backend, "nccl");
  EXPECT_EQ(train_error(nccl + "\n[federation]\nclients = 2"),
            "job.toml:4: communication.backend = \"nccl\" cannot be had with [federation]: sites "
            "train on CPUs");
}

TEST(JobFile, KnowsWhereDevicesCannotBeHad) {
  const std::string steps = "[train]\nsteps = 1\n";
  for (const char* device : {"auto", "cpu", "cuda", "mixed"}) {
    EXPECT_EQ(parse(steps + "[run]\ndevice = \"" + device + "\"").run.device, device);
  }
  EXPECT_EQ(
      train_error("[communication]\nbackend = \"nccl\"\n[run]\ndevice = \"mixed\""),
      "job.toml:6: run.device = \"mixed\" cannot be had with communication.backend = \"nccl\", "
      "which needs a GPU for every rank; \"mpi\" does not");
  EXPECT_EQ(train_error("[communication]\nbackend = \"local\"\n[run]\ndevice = \"cuda\""),
            "job.toml:6: run.device = \"cuda\" needs processes: communication.backend = \"mpi\", "
            "\"nccl\" or \"auto\"");
  EXPECT_EQ(
      train_error("[federation]\nclients = 2\n[run]\ndevice = \"cuda\""),
      "job.toml:6: run.device = \"cuda\" cannot be had with [federation]: sites train on CPUs");
  EXPECT_NE(train_error("[run]\ndevice = \"gpu\"").find("\"cuda\""), std::string::npos);
}

TEST(JobFile, ScaledLossesHaveToWaitForAllGradients) {
  EXPECT_EQ(train_error("amp = \"fp16\"\n[communication]\noverlap = \"next_forward\""),
            "job.toml:5: communication.overlap = \"next_forward\" cannot be had with job.toml:3: "
            "train.amp = \"fp16\", whose loss is scaled: steps are left out when all gradients are "
            "known");
}

TEST(JobFile, ChecksTheTransportAndItsNetwork) {
  const trainer::Job job = parse(
      "[train]\nsteps = 1\n[communication]\ntransport = \"tcp\"\nnetwork = \"10.1.0.0/16\"\n");
  EXPECT_EQ(job.communication.transport, "tcp");
  EXPECT_EQ(job.communication.network, "10.1.0.0/16");
  EXPECT_EQ(train_error("[communication]\nnetwork = \"10.1\""),
            "job.toml:4: communication.network: \"10.1\" is no network: give one like "
            "\"10.1.0.0/16\"");
  EXPECT_NE(train_error("[communication]\ntransport = \"udp\"").find("\"tcp\""), std::string::npos);
}

TEST(JobFile, ReadsAFederationWithoutEpochs) {
  const trainer::Job job = parse(
      "[data]\npartition = {name = \"dual_dirichlet\", alpha = 0.25}\n"
      "[federation]\nalgorithm = \"fedbuff\"\nclients = 3\nrounds = 7\nspeeds = [1, 2.5, 4]\n"
      "evict_after = 9\nalpha = 0.5\nstaleness = {name = \"hinge\", b = 6}\n"
      "server_optimizer = {name = \"fedyogi\", tau = 0.5}\n");
  const auto& federation = job.federation;
  EXPECT_EQ(job.data.partition.name, "dual_dirichlet");
  EXPECT_EQ(federation.policy.algorithm, scheduler::Algorithm::kFedBuff);
  EXPECT_EQ(federation.speeds, "list");
  EXPECT_EQ(federation.speed_list, (std::vector<double>{1.0, 2.5, 4.0}));
  EXPECT_EQ(federation.policy.evict_after, 9.0);
  EXPECT_EQ(federation.policy.alpha, 0.5);
  EXPECT_EQ(federation.policy.staleness.function, scheduler::Staleness::Function::kHinge);
  EXPECT_EQ(federation.policy.staleness.b, 6.0);
  EXPECT_EQ(federation.server_optimizer.name, "fedyogi");
  const std::string text = job_text(job);
  EXPECT_EQ(job_text(parse_job(text, "again")), text);
}

TEST(JobFile, LeavesWhatAFederationDoesNotSayAtItsDefaults) {
  const trainer::Job job = parse("[federation]\nrounds = 1\n");
  const scheduler::PolicyConfig defaults;
  EXPECT_EQ(job.federation.policy.evict_after, defaults.evict_after);
  EXPECT_EQ(job.federation.policy.alpha, defaults.alpha);
  EXPECT_EQ(job.federation.policy.initial_local_steps, defaults.initial_local_steps);
  EXPECT_EQ(job.federation.policy.algorithm, defaults.algorithm);
  EXPECT_EQ(job.federation.speeds, "homogeneous");
}

TEST(JobFile, ChecksTheSpeedsOfAFederation) {
  EXPECT_EQ(error_of("[federation]\nspeeds = \"fast\""),
            "job.toml:2: federation.speeds must be one of \"homogeneous\", \"normal\", "
            "\"exponential\", not \"fast\"");
  EXPECT_EQ(error_of("[federation]\nspeeds = [1, -1]"),
            "job.toml:2: federation.speeds must be above 0, not -1");
}

TEST(JobFile, FlushesLateUpdatesByItselfInRealTime) {
  const auto flushes = [](const std::string& keys) {
    return parse("[federation]\nrounds = 1\n" + keys).federation.policy.late_flush_auto;
  };
  EXPECT_FALSE(flushes(""));
  EXPECT_TRUE(flushes("clock = \"live\"\n"));
  EXPECT_TRUE(flushes("clock = \"throttled\"\n"));
  EXPECT_FALSE(flushes("clock = \"live\"\nlate_flush_auto = false\n"));
  EXPECT_FALSE(flushes("clock = \"live\"\nlate_flush_after = 60\n"));
  const trainer::Job job =
      parse("[federation]\nrounds = 1\nclock = \"live\"\nlate_flush_auto = false\n");
  EXPECT_EQ(job_text(parse_job(job_text(job), "again")), job_text(job));
}

TEST(JobFile, ChecksWhatAGradientCannotHold) {
  EXPECT_EQ(error_of("[federation]\nproximal = 1e308"),
            "job.toml:2: federation.proximal must be in [0, 1e+38], not 1e+308");
}

TEST(JobFile, SyntaxErrorsNameTheLine) {
  const std::string message = error_of("[train]\nsteps = \n");
  EXPECT_EQ(message.rfind("job.toml:2: ", 0), 0U) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_EQ(error_of("[train]\nsteps = 1\nsteps = 2\n").rfind("job.toml:3: ", 0), 0U);
}

TEST(JobFile, SetOverridesTheFile) {
  const trainer::Job job =
      parse(kGoodJob, {"train.optimizer.lr=0.25", "run.name=bare words", "model.name=\"vit\"",
                       "train.schedule={warmup_steps = 5}", "data.augment=true"});
  EXPECT_EQ(job.train.optimizer.lr, 0.25);
  EXPECT_EQ(job.train.optimizer.name, "adamw") << "other keys of the table stay";
  EXPECT_EQ(job.run.name, "bare words");
  EXPECT_EQ(job.model.name, "vit");
  EXPECT_EQ(job.train.schedule.warmup_steps, 5);
  EXPECT_EQ(job.train.schedule.name, "cosine");
  EXPECT_TRUE(job.data.augment);
}

TEST(JobFile, LaterSetWins) {
  EXPECT_EQ(parse(kGoodJob, {"run.seed=1", "run.seed=2"}).run.seed, 2U);
}

TEST(JobFile, SetOfOneLengthReplacesTheOther) {
  const trainer::Job job = parse(kGoodJob, {"train.steps=20"});
  EXPECT_EQ(job.train.steps, 20);
  EXPECT_EQ(job.train.epochs, 0);
}

TEST(JobFile, SetErrorsNameTheSet) {
  EXPECT_EQ(error_of(kGoodJob, {"train.batch_size=x"}),
            "--set train.batch_size=x: train.batch_size must be an integer, not a string");
  EXPECT_EQ(error_of(kGoodJob, {"train.batch_size=0"}),
            "--set train.batch_size=0: train.batch_size must be at least 1, not 0");
  EXPECT_EQ(error_of(kGoodJob, {"train.lr=x"}),
            "--set train.lr=x: unknown key \"lr\" in [train]; did you mean \"lr\" in "
            "[train.optimizer]?");
  EXPECT_EQ(error_of(kGoodJob, {"train"}), "--set train: must look like section.key=value");
  EXPECT_EQ(error_of(kGoodJob, {"seed=1"}), "--set seed=1: must look like section.key=value");
  EXPECT_EQ(error_of(kGoodJob, {"train..x=1"}).rfind("--set train..x=1: ", 0), 0U);
}

TEST(JobFile, PathsBecomeAbsolute) {
  const trainer::Job job = parse(kGoodJob, {"data.path=some/file.csv", "model.init=/x/../w.pt"});
  EXPECT_EQ(job.data.path, (std::filesystem::current_path() / "some/file.csv").string());
  EXPECT_EQ(job.model.init, "/w.pt");
}

TEST(JobFile, MissingFileIsNamed) {
  try {
    (void)load_job("/nowhere/job.toml");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot open /nowhere/job.toml: No such file or directory");
  }
}

}  // namespace
}  // namespace convoy::launch
