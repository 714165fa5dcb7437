// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/messages.h"

namespace convoy::trainer {
namespace {

/// A server and its clients as ranks that are threads.
FederatedSummary federate_on_ranks(const Job& job, const RunRequest& request) {
  FederatedSummary summary;
  comm::local::run(static_cast<int>(job.federation.clients) + 1, [&](comm::Communicator& world) {
    const auto own = federate(world, job, request);
    if (world.rank() == 0) summary = own;
  });
  return summary;
}

FederatedSummary federate_on_ranks(const Job& job, const std::filesystem::path& run_dir) {
  return federate_on_ranks(job, {.run_dir = run_dir, .quiet = true});
}

/// Runs in pieces that end after so many updates each, all on ranks but for the piece `here`; the
/// summary of the last.
FederatedSummary in_pieces(Job job, const std::vector<std::int64_t>& ends,
                           const std::filesystem::path& run_dir, std::size_t here = 99) {
  FederatedSummary summary;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    job.federation.updates = ends[i];
    const RunRequest request{.run_dir = run_dir, .resume = i > 0, .quiet = true};
    if (i != here) {
      summary = federate_on_ranks(job, request);
      continue;
    }
    comm::local::run(1,
                     [&](comm::Communicator& world) { summary = federate(world, job, request); });
  }
  return summary;
}

TEST(RemoteClients, TrainTheSameModelAsThreadsDo) {
  const tests::TemporaryFolder here;
  const tests::TemporaryFolder there;
  Job job = tests::federated_job();
  job.federation.validation = 0.1;
  const auto expected = tests::federate_here(job, here.path());
  const auto found = federate_on_ranks(job, there.path());
  EXPECT_EQ(found.run.parameters_hash, expected.run.parameters_hash);
  EXPECT_EQ(found.run.ranks, 5);
  for (const char* file : {"events.jsonl", "metrics.jsonl"}) {
    EXPECT_EQ(read_text_file(there.path() / file), read_text_file(here.path() / file)) << file;
  }
  EXPECT_GT(found.bytes_down, 0U);
  EXPECT_GT(found.bytes_up, 0U);
}

TEST(RemoteClients, TrainTheSameModelAsThreadsDoWithCompressedUpdates) {
  for (const auto algorithm :
       {scheduler::Algorithm::kFedCompass, scheduler::Algorithm::kFedAsync}) {
    const tests::TemporaryFolder here;
    const tests::TemporaryFolder there;
    Job job = tests::federated_job();
    job.federation.policy.algorithm = algorithm;
    job.compression.family = "quantize";
    job.compression.policy = "lgreco";
    job.compression.min_numel = 1;
    const auto expected = tests::federate_here(job, here.path());
    const auto found = federate_on_ranks(job, there.path());
    EXPECT_EQ(found.run.parameters_hash, expected.run.parameters_hash);
    EXPECT_EQ(found.bytes_down, expected.bytes_down);
    EXPECT_EQ(found.bytes_up, expected.bytes_up);
  }
}

Job compressed_job(const std::string& family) {
  Job job = tests::federated_job();
  job.compression.family = family;
  job.compression.min_numel = 1;
  if (family == "top_k") job.compression.level = 0.05;
  return job;
}

/// The lines of metrics.jsonl about new models.
std::vector<std::string> aggregations_in(const std::filesystem::path& run_dir) {
  std::vector<std::string> found;
  std::istringstream text(read_text_file(run_dir / "metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    if (line.find(R"("kind":"aggregate")") != std::string::npos) found.push_back(line);
  }
  return found;
}

TEST(RemoteClients, GoOnWithWhatCompressionOwesBitForBit) {
  for (const char* family : {"quantize", "top_k", "half"}) {
    SCOPED_TRACE(family);
    const Job job = compressed_job(family);
    const tests::TemporaryFolder whole_folder;
    const auto whole = tests::federate_here(job, whole_folder.path());
    for (const std::size_t here : {99, 0, 1}) {  // no piece, the first or the second in one process
      const tests::TemporaryFolder folder;
      const auto pieces = in_pieces(job, {7, 18, 30}, folder.path(), here);
      EXPECT_EQ(pieces.run.parameters_hash, whole.run.parameters_hash) << here;
      EXPECT_EQ(read_text_file(folder.path() / "events.jsonl"),
                read_text_file(whole_folder.path() / "events.jsonl"));
      EXPECT_EQ(aggregations_in(folder.path()), aggregations_in(whole_folder.path()));
      EXPECT_EQ(pieces.bytes_up, whole.bytes_up);
    }
  }
}

/// Checkpoints that are due while clients train, and updates that are refused as their round is
/// over: compression owes them.
TEST(RemoteClients, GoOnFromAnyCheckpointBitForBit) {
  Job job = compressed_job("top_k");
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAvg;
  job.federation.policy.deadline = 1.5;  // of four clients, one takes 3.1 s
  job.checkpoint.every_steps = 1;
  job.checkpoint.keep = 100;
  const tests::TemporaryFolder folder;
  const auto whole = federate_on_ranks(job, folder.path());
  ASSERT_GE(whole.schedule.counts.refused, 3);
  job.checkpoint.every_steps = 0;
  for (int update = 3; update < 14; ++update) {
    const std::string step = "step-" + std::to_string(update);
    SCOPED_TRACE(step);
    const tests::TemporaryFolder copy;
    std::filesystem::copy(folder.path(), copy.path(), std::filesystem::copy_options::recursive);
    const auto resumed = federate_on_ranks(job, {.run_dir = copy.path(),
                                                 .resume = true,
                                                 .checkpoint = copy.path() / "checkpoints" / step,
                                                 .quiet = true});
    EXPECT_EQ(resumed.run.parameters_hash, whole.run.parameters_hash);
    EXPECT_EQ(scheduler::to_json(resumed.schedule), scheduler::to_json(whole.schedule));
  }
}

/// A client that answers one round with `floats` numbers for a model of three, and leaves.
void answer_once(comm::Communicator& world, std::size_t floats) {
  const auto header = std::make_shared<messages::Header>();
  const auto model = std::make_shared<messages::Bytes>(3 * sizeof(float));
  messages::receive(world, header, 0, messages::kHeaderDown).wait();
  messages::receive(world, model, 0, messages::kPayloadDown).wait();
  ClientReport report{.round = 7};
  report.result.finite = true;
  messages::Bytes payload(floats * sizeof(float));
  messages::send_owned(world, messages::to_header(report, payload.size()), 0, messages::kHeaderUp)
      .wait();
  messages::send_owned(world, std::move(payload), 0, messages::kPayloadUp).wait();
  messages::receive(world, header, 0, messages::kHeaderDown).wait();  // the end
  messages::send_owned(world, messages::Sign{messages::kFarewell}, 0, messages::kSignUp).wait();
}

TEST(RemoteClients, AnUpdateOfAnotherSizeIsNotUsableAndEndsNothing) {
  for (const std::size_t floats : {0, 2, 3, 4}) {
    comm::local::run(2, [&](comm::Communicator& world) {
      if (world.rank() == 1) return answer_once(world, floats);
      const ModelState model{.parameters = {torch::zeros({3})}, .buffers = {}};
      RemoteClients clients(world, model, nullptr, std::chrono::seconds(20));
      clients.start({.round = 7, .start = std::make_shared<ModelState>(model)});
      const auto report =
          clients.report_of(0, std::chrono::steady_clock::now() + std::chrono::seconds(20));
      ASSERT_TRUE(report);
      EXPECT_EQ(report->round, 7);
      EXPECT_EQ(report->result.finite, floats == 3) << floats;
      EXPECT_EQ(report->result.update.delta.size(), floats == 3 ? 1U : 0U);
      EXPECT_TRUE(clients.end().empty());
    });
  }
}

/// What an interrupted run waits for is a step, and not the round.
TEST(RemoteClients, LeaveARoundThatIsOfNoUse) {
  Job job = tests::federated_job();
  job.federation.clients = 2;
  job.federation.clock = "live";
  job.federation.speeds = "homogeneous";
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAvg;
  job.federation.policy.max_local_steps = 1'000'000'000;
  job.federation.updates = 0;
  job.federation.seconds = 0.2;
  const tests::TemporaryFolder folder;
  const auto summary = federate_on_ranks(job, folder.path());
  EXPECT_EQ(summary.updates, 0);
}

TEST(RemoteClients, WorkInRealTime) {
  const tests::TemporaryFolder folder;
  Job job = tests::federated_job();
  job.federation.clock = "throttled";
  job.federation.speed_list = {0.002, 0.003, 0.008, 0.001};
  const auto summary = federate_on_ranks(job, folder.path());
  EXPECT_EQ(summary.updates, 30);
  EXPECT_GT(summary.run.accuracy, 0.8);
}

TEST(RemoteClients, AFailingClientEndsTheRun) {
  const tests::TemporaryFolder folder;
  const Job job = tests::federated_job();
  EXPECT_THROW(comm::local::run(5,
                                [&](comm::Communicator& world) {
                                  require_config(world.rank() != 2, "this client fails");
                                  (void)federate(world, job,
                                                 {.run_dir = folder.path(), .quiet = true});
                                }),
               ConfigError);
}

TEST(RemoteClients, NeedARankForEachClient) {
  const tests::TemporaryFolder folder;
  EXPECT_THROW(comm::local::run(3,
                                [&](comm::Communicator& world) {
                                  (void)federate(world, tests::federated_job(),
                                                 {.run_dir = folder.path(), .quiet = true});
                                }),
               ConfigError);
}

TEST(Messages, BringTensorsBackBitForBit) {
  const ModelState state{.parameters = {torch::rand({3, 2}), torch::rand({4}).to(torch::kDouble)},
                         .buffers = {torch::tensor(7, torch::kInt64)}};
  messages::Bytes bytes;
  messages::append(state.parameters, bytes);
  messages::append(state.buffers, bytes);
  std::span<const std::uint8_t> rest(bytes);
  const auto parameters = messages::take(rest, state.parameters);
  const auto buffers = messages::take(rest, state.buffers);
  EXPECT_TRUE(rest.empty());
  EXPECT_TRUE(torch::equal(parameters[0], state.parameters[0]));
  EXPECT_TRUE(torch::equal(parameters[1], state.parameters[1]));
  EXPECT_TRUE(torch::equal(buffers[0], state.buffers[0]));
  auto part = std::span<const std::uint8_t>(bytes).first(10);
  EXPECT_THROW((void)messages::take(part, state.parameters), ContractError);
  EXPECT_THROW((void)messages::take(part, 11), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
