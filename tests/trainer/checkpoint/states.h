// SPDX-License-Identifier: Apache-2.0
// Training states that differ by rank and step, and stores of them, for the checkpoint tests.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "trainer/checkpoint/checkpoint.h"

namespace convoy::tests {

inline constexpr const char* kIdentity = "0123456789abcdef";

inline trainer::TrainingState make_state(int rank, std::int64_t step) {
  const auto s = static_cast<double>(step);
  return {.step = step,
          .epoch = step / 7,
          .position = step % 7,
          .parameters = {{"fc.weight", torch::full({30, 20}, s, torch::kFloat)},
                         {"fc.bias", torch::full({30}, -s, torch::kFloat)}},
          .buffers = {{"bn.mean", torch::full({3}, s + 0.5, torch::kDouble)},
                      {"bn.count", torch::tensor(step)}},
          .optimizer = {{"fc.weight/momentum", torch::full({30, 20}, s / 3, torch::kFloat)}},
          .rank_tensors = {{"residual", torch::full({rank + 1}, 100.0 * s + rank)}},
          .counters = {{"samples", s * 10 + rank}, {"seconds", 0.1 * s}}};
}

inline void expect_equal(const std::vector<trainer::NamedTensor>& found,
                         const std::vector<trainer::NamedTensor>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_TRUE(torch::equal(found[i].tensor, expected[i].tensor)) << expected[i].name;
  }
}

/// All that does not depend on the number of ranks.
inline void expect_replicated_parts(const trainer::TrainingState& found, std::int64_t step) {
  const auto expected = make_state(0, step);
  EXPECT_EQ(found.step, expected.step);
  EXPECT_EQ(found.epoch, expected.epoch);
  EXPECT_EQ(found.position, expected.position);
  expect_equal(found.parameters, expected.parameters);
  expect_equal(found.buffers, expected.buffers);
  expect_equal(found.optimizer, expected.optimizer);
}

inline void expect_state(const trainer::TrainingState& found, int rank, std::int64_t step) {
  expect_replicated_parts(found, step);
  expect_equal(found.rank_tensors, make_state(rank, step).rank_tensors);
  EXPECT_EQ(found.counters, make_state(rank, step).counters);
}

/// Each rank's folder: the same for all (one file system) or one for each.
using FolderOf = std::function<std::filesystem::path(int rank)>;

inline void save_steps(int ranks, const FolderOf& folder, const std::vector<std::int64_t>& steps,
                       std::int64_t keep = 10, const std::string& identity = kIdentity) {
  comm::local::run(ranks, [&](comm::Communicator& world) {
    trainer::CheckpointStore store(world, folder(world.rank()), {.keep = keep}, identity);
    for (const auto step : steps) store.save(make_state(world.rank(), step));
  });
}

/// Loads on all ranks and hands each rank's result to `check`. Every rank must throw the same
/// ConfigError or none. @returns its text, or nothing.
inline std::string load_on_all(
    int ranks, const FolderOf& folder, const std::filesystem::path& path = {},
    const std::function<void(int rank, const std::optional<trainer::TrainingState>&)>& check =
        [](int, const std::optional<trainer::TrainingState>&) {}) {
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  comm::local::run(ranks, [&](comm::Communicator& world) {
    trainer::CheckpointStore store(world, folder(world.rank()), {}, kIdentity);
    try {
      check(world.rank(), store.load(path));
    } catch (const ConfigError& error) {
      errors[static_cast<std::size_t>(world.rank())] = error.what();
    }
  });
  for (const auto& error : errors) EXPECT_EQ(error, errors[0]);
  EXPECT_EQ(errors[0].find('\n'), std::string::npos) << errors[0];
  return errors[0];
}

/// Steps of the checkpoints that list_checkpoints() finds.
inline std::vector<std::int64_t> listed_steps(const std::filesystem::path& folder) {
  std::vector<std::int64_t> steps;
  for (const auto& info : trainer::list_checkpoints(folder)) steps.push_back(info.step);
  return steps;
}

}  // namespace convoy::tests
