// SPDX-License-Identifier: Apache-2.0
// communication.chunk_kb = "auto": what is measured, kept in checkpoints and changes no result.
#include "trainer/chunk_setup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/checkpoint/internal/manifest.h"

namespace convoy::trainer {
namespace {

using comm::Communicator;
using tests::small_job;
using tests::TemporaryFolder;
using tests::train_local;

constexpr std::array<std::int64_t, 5> kCandidates{64, 128, 256, 512, 1024};

const comm::CommunicatorOptions kInMessages{.shared_memory = false};

bool is_candidate(std::int64_t kib) {
  return std::ranges::find(kCandidates, kib) != kCandidates.end();
}

/// The summary of rank 0 where sums travel in messages.
Summary train_in_messages(const Job& job, const RunRequest& request) {
  Summary summary;
  comm::local::run(
      3,
      [&](Communicator& world) {
        const Summary own = train(world, job, request);
        if (world.rank() == 0) summary = own;
      },
      kInMessages);
  return summary;
}

TEST(ChooseChunks, GivesAllRanksOneOfTheCandidates) {
  comm::local::run(
      3,
      [](Communicator& world) {
        const std::int64_t kib = choose_chunks(world, 100'000, 0);
        EXPECT_TRUE(is_candidate(kib)) << kib;
        EXPECT_EQ(world.options().chunk_bytes, static_cast<std::size_t>(kib) << 10);
        EXPECT_LT(world.bytes_sent(), 1000U) << "it measures elsewhere";
      },
      kInMessages);
}

TEST(ChooseChunks, TakesOverWhatRankZeroHasSaved) {
  comm::local::run(
      3,
      [](Communicator& world) {
        EXPECT_EQ(choose_chunks(world, 100'000, world.rank() == 0 ? 384 : 0), 384);
        EXPECT_EQ(world.options().chunk_bytes, std::size_t{384} << 10);
      },
      kInMessages);
}

TEST(ChooseChunks, LeavesSharedMemoryAlone) {
  comm::local::run(2, [](Communicator& world) {
    EXPECT_EQ(choose_chunks(world, 100'000, 0), 0);
    EXPECT_EQ(world.options().chunk_bytes, comm::CommunicatorOptions{}.chunk_bytes);
  });
}

TEST(ChooseChunks, ChangesNoBitOfATraining) {
  TemporaryFolder folder;
  Job job = small_job();
  const Summary given = train_local(job, 3, folder.path() / "given");
  EXPECT_EQ(given.chunk_kb, 256);
  job.communication.chunk_kb = 0;
  const Summary chosen = train_in_messages(job, {.run_dir = folder.path() / "a", .quiet = true});
  EXPECT_TRUE(is_candidate(chosen.chunk_kb)) << chosen.chunk_kb;
  EXPECT_EQ(chosen.parameters_hash, given.parameters_hash);
  const auto json = nlohmann::json::parse(read_text_file(folder.path() / "a" / "summary.json"));
  EXPECT_EQ(json.at("chunk_kb"), chosen.chunk_kb);
}

TEST(ChooseChunks, IsKeptInACheckpointAndNotMeasuredAgain) {
  TemporaryFolder folder;
  Job job = small_job();
  job.communication.chunk_kb = 0;
  job.train.steps = 2;
  const Summary first = train_in_messages(job, {.run_dir = folder.path(), .quiet = true});
  // Another number, which no measurement could bring.
  const auto file = folder.path() / "checkpoints" / "step-2" / internal::kManifestName;
  auto manifest = internal::parse_manifest(read_text_file(file));
  EXPECT_EQ(manifest.counters.at(0).at("chunk_kb"), static_cast<double>(first.chunk_kb));
  manifest.counters.at(0).at("chunk_kb") = 384;
  write_file_atomic(file, internal::to_json(manifest));
  job.train.steps = 4;
  const RunRequest resume{.run_dir = folder.path(), .resume = true, .quiet = true};
  EXPECT_EQ(train_in_messages(job, resume).chunk_kb, 384);
  job.communication.chunk_kb = 32;
  job.train.steps = 6;
  EXPECT_EQ(train_in_messages(job, resume).chunk_kb, 32);
}

}  // namespace
}  // namespace convoy::trainer
