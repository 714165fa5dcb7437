// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/messages.h"
#include "trainer/federated/update_layers.h"

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

/// A client that is played by the test: with no training to do, it gives signs of life and answers
/// questions about its residual with its rank, as it is told to.
class PlayedClient {
 public:
  PlayedClient(comm::Communicator& world, bool answers) : world_(world), answers_(answers) {}

  /// One look at what has come.
  void look(bool is_alive) {
    if (is_alive && sign_.test()) {
      sign_ = messages::send_owned(world_, messages::Sign{messages::kAlive}, 0, messages::kSignUp);
    }
    if (!answers_ || !order_.test()) return;
    if (is_asked_) {
      const std::vector<float> residual(3, static_cast<float>(world_.rank()));
      messages::send_owned(world_, residual, 0, messages::kResidualUp).wait();
    }
    order_ = messages::receive(world_, header_, 0, messages::kHeaderDown);
    is_asked_ = true;
  }

 private:
  comm::Communicator& world_;
  bool answers_;
  bool is_asked_ = false;  ///< the first order has been awaited
  std::shared_ptr<messages::Header> header_ = std::make_shared<messages::Header>();
  comm::Request order_;
  comm::Request sign_;
};

/// A server with two clients on ranks that are threads. Client 0 answers, client 1 does not, and
/// gives signs of life only if it is told to.
void ask_for_residuals(bool is_alive, const std::function<void(RemoteClients&)>& server) {
  std::atomic<bool> silent = false;
  std::atomic<bool> over = false;
  compress::CompressionConfig config;
  config.family = "top_k";
  const auto codec = make_update_codec(config, {{"w", torch::zeros({3})}});
  comm::local::run(3, [&](comm::Communicator& world) {
    if (world.rank() > 0) {
      PlayedClient client(world, world.rank() == 1);
      try {
        while (!over) {
          client.look(!silent && (world.rank() == 1 || is_alive));
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      } catch (const CommError&) {  // the server has dropped what was under way
      }
      return;
    }
    const ModelState model{.parameters = {torch::zeros({3})}, .buffers = {}};
    RemoteClients clients(world, model, codec.get(), std::chrono::milliseconds(600));
    server(clients);
    silent = true;
    EXPECT_EQ(clients.end().size(), 2U);
    over = true;
  });
}

/// A checkpoint that waits for one client must not keep the server from answering the others.
TEST(RemoteClients, NobodyIsHeldUpByAResidualThatHasNotCome) {
  ask_for_residuals(true, [](RemoteClients& clients) {
    const auto before = std::chrono::steady_clock::now();
    clients.ask_for_residuals();
    EXPECT_FALSE(clients.residuals().has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(300));
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    EXPECT_FALSE(clients.residuals().has_value()) << "it gives signs of life: it is slow";
  });
}

TEST(RemoteClients, AResidualOfADeadClientIsNotWaitedForLongerThanItsSigns) {
  ask_for_residuals(false, [](RemoteClients& clients) {
    const auto gather = [&] {
      const auto before = std::chrono::steady_clock::now();
      clients.ask_for_residuals();
      auto found = clients.residuals();
      for (; !found; found = clients.residuals()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (std::chrono::steady_clock::now() - before > std::chrono::seconds(20)) break;
      }
      return std::pair(found, std::chrono::steady_clock::now() - before);
    };
    const auto [first, waited] = gather();
    ASSERT_TRUE(first) << "it waits for ever";
    EXPECT_GE(waited, std::chrono::milliseconds(300)) << "it might have been alive";
    ASSERT_EQ(first->size(), 2U);
    EXPECT_TRUE(torch::equal((*first)[0].tensor, torch::ones({3}))) << "the living have answered";
    EXPECT_TRUE(torch::equal((*first)[1].tensor, torch::zeros({3})));

    const auto [second, waited_again] = gather();
    ASSERT_TRUE(second);
    EXPECT_LT(waited_again, std::chrono::milliseconds(300)) << "it still owes the first answer";
    EXPECT_TRUE(torch::equal((*second)[0].tensor, torch::ones({3})));
  });
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
