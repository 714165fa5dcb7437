// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <atomic>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/replay.h"
#include "scheduler/simulator.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"

namespace convoy::trainer {
namespace {

using scheduler::Algorithm;
using tests::federate_here;
using tests::federated_job;
using tests::TemporaryFolder;

constexpr std::array kAlgorithms{Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync,
                                 Algorithm::kFedBuff};

TEST(Federation, EveryAlgorithmLearnsAndLosesNoUpdate) {
  for (const auto algorithm : kAlgorithms) {
    SCOPED_TRACE(to_text(algorithm));
    const TemporaryFolder folder;
    Job job = federated_job();
    job.federation.policy.algorithm = algorithm;
    job.federation.policy.buffer_size = 3;
    const auto summary = federate_here(job, folder.path());
    EXPECT_GT(summary.run.accuracy, 0.8);
    EXPECT_EQ(summary.updates, 30);
    const auto& counts = summary.schedule.counts;
    EXPECT_EQ(counts.received, counts.aggregated + counts.refused + summary.schedule.pending);
    EXPECT_GE(summary.versions, 7);
    EXPECT_GT(summary.run.steps, 0);
  }
}

TEST(Federation, EndsWhereEveryUpdateIsRefused) {
  for (const auto algorithm : kAlgorithms) {
    SCOPED_TRACE(to_text(algorithm));
    const TemporaryFolder folder;
    Job job = federated_job();
    job.federation.policy.algorithm = algorithm;
    job.federation.updates = 0;
    job.federation.rounds = 5;
    job.train.optimizer.lr = 1e30;
    EXPECT_THROW((void)federate_here(job, folder.path()), std::runtime_error);
  }
}

TEST(Federation, TheVirtualClockGivesTheSameBitsWhateverTheMachineDoes) {
  Job job = federated_job();
  job.model.dropout = 0.3;
  std::vector<std::string> hashes;
  std::vector<std::string> events;
  for (const std::int64_t workers : {1, 2, 4, 4}) {
    const TemporaryFolder folder;
    job.federation.workers = workers;
    hashes.push_back(federate_here(job, folder.path()).run.parameters_hash);
    events.push_back(read_text_file(folder.path() / "events.jsonl"));
  }
  for (std::size_t i = 1; i < hashes.size(); ++i) {
    EXPECT_EQ(hashes[i], hashes[0]);
    EXPECT_EQ(events[i], events[0]);
  }
  const TemporaryFolder folder;
  job.run.seed = 6;
  EXPECT_NE(federate_here(job, folder.path()).run.parameters_hash, hashes[0]);
}

/// What the simulator makes of the run's scenario, against what happened.
void expect_simulation_foretells(const std::filesystem::path& run_dir) {
  std::string foretold;
  const auto scenario = scheduler::read_scenario(run_dir / "scenario.json");
  (void)scheduler::simulate(scenario,
                            [&](std::string_view line) { foretold.append(line).append("\n"); });
  const std::string events = read_text_file(run_dir / "events.jsonl");
  EXPECT_EQ(events.substr(events.find('\n') + 1), foretold);  // after the line with the policy
}

TEST(Federation, TheSimulatorForetellsTheEventsOfTheVirtualClock) {
  const TemporaryFolder folder;
  (void)federate_here(federated_job(), folder.path());
  expect_simulation_foretells(folder.path());
}

/// The simulator needs a horizon, which only the run itself can tell.
TEST(Federation, TheSimulatorForetellsARunThatRoundsEnd) {
  for (std::int64_t rounds = 7; rounds < 10; ++rounds) {
    const TemporaryFolder folder;
    Job job = federated_job();
    job.federation.updates = 0;
    job.federation.rounds = rounds;
    EXPECT_EQ(federate_here(job, folder.path()).versions, rounds);
    expect_simulation_foretells(folder.path());
  }
}

TEST(Federation, EndsAfterSecondsOfItsClock) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.federation.updates = 0;
  job.federation.seconds = 5.0;
  const auto summary = federate_here(job, folder.path());
  EXPECT_EQ(summary.federation_seconds, 5.0);
  EXPECT_GT(summary.updates, 10);
}

TEST(Federation, WritesWhatARunDirectoryHolds) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.federation.validation = 0.2;
  (void)federate_here(job, folder.path());
  for (const char* name : {"model.pt", "partition.txt", "scenario.json", "events.jsonl"}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path() / name)) << name;
  }
  const auto summary = nlohmann::json::parse(read_text_file(folder.path() / "summary.json"));
  for (const char* key : {"accuracy", "loss", "steps", "samples_per_second", "ranks",
                          "parameters_hash", "bytes_sent", "versions", "updates", "schedule"}) {
    EXPECT_TRUE(summary.contains(key)) << key;
  }
  const auto& end = summary.at("at_end");
  EXPECT_EQ(end.at("pending"), 0);
  EXPECT_EQ(end.at("received"), summary.at("updates"));
  EXPECT_EQ(end.at("aggregated").get<int>() + end.at("refused").get<int>(), end.at("received"));
  std::ifstream metrics(folder.path() / "metrics.jsonl");
  std::int64_t evaluations = 0;
  std::int64_t aggregations = 0;
  for (std::string line; std::getline(metrics, line);) {
    const auto json = nlohmann::json::parse(line);
    evaluations += json.at("kind") == "evaluation" ? 1 : 0;
    if (json.at("kind") != "aggregate") continue;
    ++aggregations;
    EXPECT_GE(json.at("client_accuracy").get<double>(), 0.0);
  }
  EXPECT_EQ(aggregations, summary.at("versions").get<std::int64_t>());
  EXPECT_GE(evaluations, 7);
}

TEST(Federation, TheProximalTermAndTheServersOptimizerChangeTheModel) {
  std::vector<std::string> hashes;
  const auto run = [&](const std::function<void(Job&)>& change) {
    const TemporaryFolder folder;
    Job job = federated_job();
    job.federation.policy.algorithm = Algorithm::kFedAvg;
    change(job);
    hashes.push_back(federate_here(job, folder.path()).run.parameters_hash);
  };
  run([](Job&) {});
  run([](Job& job) { job.federation.proximal = 0.5; });
  run([](Job& job) { job.federation.server_optimizer.name = "fedavgm"; });
  run([](Job& job) { job.federation.policy.weights = scheduler::WeightBy::kEqual; });
  for (std::size_t i = 1; i < hashes.size(); ++i) EXPECT_NE(hashes[i], hashes[0]) << i;
}

TEST(Federation, RefusesUpdatesThatAreNotFiniteAndGoesOn) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.train.optimizer.lr = 1e30;
  const auto summary = federate_here(job, folder.path());
  EXPECT_EQ(summary.schedule.counts.refused, 30);
  EXPECT_EQ(summary.versions, 0);
}

/// Runs in pieces that end after so many updates each; the summary of the last.
FederatedSummary in_pieces(Job job, const std::vector<std::int64_t>& ends,
                           const std::filesystem::path& run_dir) {
  FederatedSummary summary;
  comm::local::run(1, [&](comm::Communicator& world) {
    for (std::size_t i = 0; i < ends.size(); ++i) {
      job.federation.updates = ends[i];
      summary = federate(world, job, {.run_dir = run_dir, .resume = i > 0, .quiet = true});
    }
  });
  return summary;
}

TEST(Federation, OnRegressionDataGoesOnWithUpdatesThatWait) {
  const TemporaryFolder folder;
  std::string table = "a,b,label\n";
  for (int i = 0; i < 200; ++i) table += fmt::format("{},{},{}\n", i % 7, i % 5, i % 7 - i % 5);
  write_file_atomic(folder.path() / "data.csv", table);
  Job job = federated_job();
  job.data = {};
  job.data.name = "csv";
  job.data.path = (folder.path() / "data.csv").string();
  job.data.task = "regress";
  job.data.validation = 0.2;
  job.train.optimizer.lr = 0.01;
  job.federation.policy.algorithm = Algorithm::kFedAvg;
  job.federation.validation = 0.2;  // has a loss, and no accuracy
  job.federation.updates = 12;
  const auto whole = federate_here(job, folder.path() / "whole");
  const auto pieces = in_pieces(job, {6, 12}, folder.path() / "pieces");
  EXPECT_EQ(pieces.run.parameters_hash, whole.run.parameters_hash);
}

TEST(Federation, StopsWhenItIsAsked) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop = true;
  comm::local::run(1, [&](comm::Communicator& world) {
    const auto summary =
        federate(world, federated_job(), {.run_dir = folder.path(), .stop = &stop, .quiet = true});
    EXPECT_TRUE(summary.run.interrupted);
    EXPECT_LT(summary.updates, 30);
  });
}

TEST(Federation, GoesOnFromACheckpointBitForBit) {
  for (const auto algorithm : kAlgorithms) {
    SCOPED_TRACE(to_text(algorithm));
    const TemporaryFolder whole_folder;
    const TemporaryFolder folder;
    Job job = federated_job();
    job.model.dropout = 0.2;
    job.federation.policy.algorithm = algorithm;
    job.federation.policy.buffer_size = 3;
    const bool takes_optimizer =
        algorithm == Algorithm::kFedAvg || algorithm == Algorithm::kFedBuff;
    if (takes_optimizer) job.federation.server_optimizer.name = "fedavgm";
    const auto whole = federate_here(job, whole_folder.path());
    const auto pieces = in_pieces(job, {7, 18, 30}, folder.path());
    EXPECT_EQ(pieces.run.parameters_hash, whole.run.parameters_hash);
    EXPECT_EQ(read_text_file(folder.path() / "events.jsonl"),
              read_text_file(whole_folder.path() / "events.jsonl"));
    EXPECT_EQ(pieces.run.steps, whole.run.steps);
    EXPECT_EQ(scheduler::to_json(pieces.schedule), scheduler::to_json(whole.schedule));
  }
}

TEST(Federation, GoesOnInRealTime) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.federation.clock = "throttled";
  job.federation.speed_list = {0.002, 0.003, 0.008, 0.001};
  const auto summary = in_pieces(job, {10, 30}, folder.path());
  EXPECT_EQ(summary.updates, 30);
  EXPECT_GT(summary.run.accuracy, 0.8);
  std::ifstream log(folder.path() / "events.jsonl");
  const auto replay = scheduler::replay(log, std::nullopt, "events.jsonl");
  EXPECT_FALSE(replay.difference.has_value()) << *replay.difference;
}

TEST(Federation, RefusesTheCheckpointOfAnotherFederation) {
  const TemporaryFolder folder;
  Job job = federated_job();
  job.federation.updates = 5;
  (void)federate_here(job, folder.path());
  job.federation.policy.algorithm = Algorithm::kFedAvg;
  EXPECT_THROW(comm::local::run(1,
                                [&](comm::Communicator& world) {
                                  (void)federate(
                                      world, job,
                                      {.run_dir = folder.path(), .resume = true, .quiet = true});
                                }),
               ConfigError);
}

TEST(Federation, RefusesJobsThatCannotWork) {
  const auto refused = [](const std::function<void(Job&)>& change, const std::string& word) {
    Job job = federated_job();
    change(job);
    try {
      check_federation(job, 1);
      ADD_FAILURE() << word;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused([](Job& job) { job.federation.server_optimizer.name = "fedadam"; }, "server_optimizer");
  refused([](Job& job) { job.federation.updates = 0; }, "rounds, updates or seconds");
  refused([](Job& job) { job.federation.speed_list = {1.0}; }, "speeds lists 1 clients");
  refused([](Job& job) { job.federation.policy.min_local_steps = 11; },
          "[federation] needs 1 <= min_local_steps");
  refused([](Job& job) { job.train.accumulate = 2; }, "accumulate");
  refused([](Job& job) { job.federation.proximal = 1e308; }, "federation.proximal must be in");
  refused([](Job& job) { job.federation.liveness_timeout = -1.0; }, "liveness_timeout");
  refused([](Job& job) { job.federation.speed_unit = "parsecs"; }, "speed_unit");
  refused([](Job& job) { job.federation.mean_step_factor = 0.0; }, "mean_step_factor");
  EXPECT_THROW(check_federation(federated_job(), 3), ConfigError);
  EXPECT_NO_THROW(check_federation(federated_job(), 5));
}

}  // namespace
}  // namespace convoy::trainer
