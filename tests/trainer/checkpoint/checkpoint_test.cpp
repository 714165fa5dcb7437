// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/checkpoint/states.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using namespace tests;
using Steps = std::vector<std::int64_t>;

class Checkpoint : public testing::Test {
 protected:
  [[nodiscard]] fs::path root() const { return folder_.path() / "run" / "checkpoints"; }
  [[nodiscard]] FolderOf shared() const {
    return [root = root()](int) { return root; };
  }
  /// As on hosts without a common file system.
  [[nodiscard]] FolderOf separate() const {
    return [root = root()](int rank) { return root / std::to_string(rank); };
  }
  void expect_loads(int ranks, const FolderOf& folder, std::int64_t step,
                    const fs::path& path = {}) const {
    EXPECT_EQ(load_on_all(ranks, folder, path,
                          [&](int rank, const std::optional<TrainingState>& state) {
                            ASSERT_TRUE(state.has_value());
                            expect_state(*state, rank, step);
                          }),
              "");
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Checkpoint, ComesBackOnEveryRank) {
  for (const int ranks : {1, 3}) {
    save_steps(ranks, shared(), {20});
    expect_loads(ranks, shared(), 20);
  }
}

TEST_F(Checkpoint, HasTheDocumentedFiles) {
  save_steps(2, shared(), {20});
  for (const auto* name : {"rank-0.pt", "rank-1.pt", "model.pt", "optimizer.pt", "manifest.json"}) {
    EXPECT_TRUE(fs::exists(root() / "step-20" / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "step-20"), {}), 5);
  const auto model = load_state_dict(root() / "step-20" / "model.pt");
  ASSERT_EQ(model.size(), 4U);
  EXPECT_EQ(model[2].name, "bn.mean");
  const auto listed = list_checkpoints(root());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].path, root() / "step-20");
  EXPECT_EQ(listed[0].ranks, 2);
  EXPECT_EQ(listed[0].identity, kIdentity);
}

TEST_F(Checkpoint, NothingThereIsNoError) {
  for (const int ranks : {1, 2}) {
    EXPECT_EQ(load_on_all(ranks, shared(), {},
                          [](int, const auto& state) { EXPECT_FALSE(state.has_value()); }),
              "");
  }
}

TEST_F(Checkpoint, NeedsNoSharedFileSystem) {
  save_steps(3, separate(), {20, 30});
  EXPECT_TRUE(fs::exists(root() / "0" / "step-30" / "manifest.json"));
  EXPECT_FALSE(fs::exists(root() / "1" / "step-30" / "manifest.json"));
  EXPECT_FALSE(fs::exists(root() / "1" / "step-30" / "model.pt"));
  EXPECT_TRUE(fs::exists(root() / "2" / "step-30" / "rank-2.pt"));
  expect_loads(3, separate(), 30);
  EXPECT_EQ(listed_steps(root() / "0"), (Steps{20, 30}));
}

TEST_F(Checkpoint, NamesAFileThatIsMissingOnAnotherHost) {
  save_steps(3, separate(), {20, 30});
  fs::remove(root() / "2" / "step-30" / "rank-2.pt");
  EXPECT_EQ(listed_steps(root() / "0"), (Steps{20, 30}));  // rank 0's host cannot know
  expect_loads(3, separate(), 20);
}

TEST_F(Checkpoint, ServesAnotherNumberOfRanks) {
  save_steps(3, shared(), {20});
  for (const int ranks : {1, 2, 4}) {
    const auto check = [&](int rank, const std::optional<TrainingState>& state) {
      ASSERT_TRUE(state.has_value());
      expect_replicated_parts(*state, 20);
      expect_equal(state->rank_tensors, make_state(0, 20).rank_tensors);  // the old rank 0's
      ASSERT_EQ(state->counters.size(), 2U);
      EXPECT_EQ(state->counters.at("samples"), rank == 0 ? 200 + 201 + 202 : 0);
    };
    EXPECT_EQ(load_on_all(ranks, shared(), {}, check), "");
  }
}

TEST_F(Checkpoint, GivesAnotherNumberOfRanksTheMean) {
  comm::local::run(3, [&](comm::Communicator& world) {
    const int rank = world.rank();
    CheckpointStore store(world, root(), {}, kIdentity);
    TrainingState state = make_state(rank, 20);
    const std::string name = std::string(kMeanPrefix) + "residual";
    state.rank_tensors = {{name, torch::full({2}, 1.5 * rank, torch::kFloat)}};
    // What some ranks lack counts as zero there.
    if (rank == 1) state.rank_tensors.push_back({"mean/window", torch::full({1}, 6.0F)});
    store.save(state);
  });
  for (const int ranks : {1, 2, 4}) {
    const auto check = [&](int, const std::optional<TrainingState>& state) {
      ASSERT_TRUE(state.has_value());
      expect_equal(state->rank_tensors, {{"mean/residual", torch::full({2}, 1.5F)},
                                         {"mean/window", torch::full({1}, 2.0F)}});
    };
    EXPECT_EQ(load_on_all(ranks, shared(), {}, check), "");
  }
}

TEST_F(Checkpoint, GoesOnWithoutRankTensorsThatAnotherHostHas) {
  save_steps(3, separate(), {20});
  const auto check = [&](int, const std::optional<TrainingState>& state) {
    ASSERT_TRUE(state.has_value());
    expect_replicated_parts(*state, 20);
    expect_equal(state->rank_tensors, make_state(0, 20).rank_tensors);  // not a mean: rank 0's
  };
  EXPECT_EQ(load_on_all(2, separate(), {}, check), "");
}

TEST_F(Checkpoint, LoadsTheNewestOrTheNamedOne) {
  save_steps(2, shared(), {9, 20, 100});
  expect_loads(2, shared(), 100);
  expect_loads(2, shared(), 20, root() / "step-20");
  expect_loads(2, shared(), 9, root() / "step-9/");
}

TEST_F(Checkpoint, KeepsTheNewest) {
  save_steps(2, shared(), {8, 9, 10, 11}, 2);
  EXPECT_EQ(listed_steps(root()), (Steps{10, 11}));
  EXPECT_FALSE(fs::exists(root() / "step-9"));
  save_steps(2, shared(), {12}, 0);  // the one just written always stays
  EXPECT_EQ(listed_steps(root()), (Steps{12}));
}

TEST_F(Checkpoint, KeepsTheNewestOnEveryHost) {
  save_steps(2, separate(), {8, 9, 10}, 1);
  EXPECT_FALSE(fs::exists(root() / "1" / "step-9"));
  EXPECT_TRUE(fs::exists(root() / "1" / "step-10"));
}

TEST_F(Checkpoint, ARunThatWentBackDropsWhatCameLater) {
  save_steps(2, shared(), {10, 20, 30});
  save_steps(2, shared(), {15});
  EXPECT_EQ(listed_steps(root()), (Steps{10, 15}));
  expect_loads(2, shared(), 15);
}

TEST_F(Checkpoint, ClearsAwayWhatKilledRunsLeft) {
  save_steps(2, shared(), {10});
  fs::create_directories(root() / "step-17");  // no manifest
  write_file_atomic(root() / "step-17" / "rank-1.pt", "half");
  write_file_atomic(root() / "step-10" / "model.pt.tmp.4711", "half");
  write_file_atomic(root() / "notes.txt", "mine");
  EXPECT_EQ(listed_steps(root()), (Steps{10}));
  save_steps(2, shared(), {20});
  EXPECT_FALSE(fs::exists(root() / "step-17"));
  EXPECT_FALSE(fs::exists(root() / "step-10" / "model.pt.tmp.4711"));
  EXPECT_TRUE(fs::exists(root() / "notes.txt"));
  EXPECT_EQ(listed_steps(root()), (Steps{10, 20}));
}

TEST_F(Checkpoint, AStepMayBeSavedAgain) {
  save_steps(2, shared(), {20});
  save_steps(2, shared(), {20});
  EXPECT_TRUE(fs::exists(root() / "step-20" / "model.1.pt"));
  EXPECT_FALSE(fs::exists(root() / "step-20" / "model.pt"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "step-20"), {}), 5);
  expect_loads(2, shared(), 20);
  save_steps(1, shared(), {20});
  expect_loads(1, shared(), 20);
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "step-20"), {}), 4);
}

TEST_F(Checkpoint, CountersThatAreNotFiniteSurvive) {
  comm::local::run(1, [&](comm::Communicator& world) {
    CheckpointStore store(world, root(), {}, kIdentity);
    auto state = make_state(0, 5);
    state.counters["loss"] = std::nan("");
    store.save(state);
    EXPECT_TRUE(std::isnan(store.load()->counters.at("loss")));
  });
}

}  // namespace
}  // namespace convoy::trainer
