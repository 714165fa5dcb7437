// SPDX-License-Identifier: Apache-2.0
// A rank that cannot write, and a process that is killed while it writes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/checkpoint/states.h"
#include "trainer/checkpoint/checkpoint.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using namespace tests;
using Steps = std::vector<std::int64_t>;

class CheckpointFault : public testing::Test {
 protected:
  [[nodiscard]] fs::path root(int rank = 0) const {
    return folder_.path() / ("host" + std::to_string(rank));
  }
  [[nodiscard]] FolderOf separate() const {
    return [this](int rank) { return root(rank); };
  }
  [[nodiscard]] FolderOf shared() const {
    return [this](int) { return root(); };
  }

  /// Saves on 3 ranks, of which all must throw the same. @returns what they threw.
  [[nodiscard]] static std::string save_error(
      const FolderOf& folder, std::int64_t step,
      const std::function<void(int, TrainingState&)>& change = [](int, TrainingState&) {}) {
    std::vector<std::string> errors(3);
    comm::local::run(3, [&](comm::Communicator& world) {
      CheckpointStore store(world, folder(world.rank()), {.keep = 2}, kIdentity);
      auto state = make_state(world.rank(), step);
      change(world.rank(), state);
      try {
        store.save(state);
      } catch (const std::runtime_error& error) {
        errors[static_cast<std::size_t>(world.rank())] = error.what();
      }
    });
    for (const auto& error : errors) EXPECT_EQ(error, errors[0]);
    return errors[0];
  }

  void expect_all_load(const FolderOf& folder, int ranks, const Steps& steps) const {
    EXPECT_EQ(listed_steps(folder(0)), steps);
    for (const auto step : steps) {
      const auto check = [&](int rank, const std::optional<TrainingState>& state) {
        ASSERT_TRUE(state.has_value());
        expect_state(*state, rank, step);
      };
      const auto path = folder(0) / ("step-" + std::to_string(step));
      comm::local::run(ranks, [&](comm::Communicator& world) {
        CheckpointStore store(world, folder(world.rank()), {}, kIdentity);
        check(world.rank(), store.load(folder(world.rank()) / path.filename()));
      });
    }
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(CheckpointFault, OneRankThatCannotWriteFailsAllAndHarmsNothing) {
  save_steps(3, separate(), {10, 20}, 2);
  std::ofstream(root(1) / "step-30") << "a file where the folder should be";
  const auto error = save_error(separate(), 30);
  EXPECT_TRUE(error.starts_with("cannot save the checkpoint of step 30: rank 1: cannot ")) << error;
  EXPECT_FALSE(fs::exists(root(0) / "step-30"));
  EXPECT_FALSE(fs::exists(root(2) / "step-30"));
  expect_all_load(separate(), 3, {10, 20});
}

TEST_F(CheckpointFault, AFullDiskIsNamed) {
  fs::create_directories(root(1));
  if (::mount("tmpfs", root(1).c_str(), "tmpfs", 0, "size=128k") != 0) {
    GTEST_SKIP() << "no right to mount a small file system";
  }
  save_steps(3, separate(), {10}, 2);
  const auto error = save_error(separate(), 20, [](int rank, TrainingState& state) {
    if (rank == 1) state.rank_tensors.push_back({"large", torch::zeros({100'000})});
  });
  EXPECT_EQ(error, "cannot save the checkpoint of step 20: rank 1: cannot write " +
                       (root(1) / "step-20" / "rank-1.pt.tmp.").string() +
                       std::to_string(::getpid()) + ": No space left on device");
  EXPECT_FALSE(fs::exists(root(1) / "step-20"));
  EXPECT_FALSE(fs::exists(root(0) / "step-20"));
  expect_all_load(separate(), 3, {10});
  save_steps(3, separate(), {20}, 2);
  expect_all_load(separate(), 3, {10, 20});
  ::umount2(root(1).c_str(), MNT_DETACH);
}

TEST_F(CheckpointFault, AManifestThatCannotBeWrittenFailsAll) {
  save_steps(3, shared(), {10});
  fs::create_directories(root() / "step-20" / "manifest.json" / "in the way");
  const auto error = save_error(shared(), 20);
  EXPECT_TRUE(error.starts_with("cannot save the checkpoint of step 20: rank 0: cannot rename to"))
      << error;
  EXPECT_FALSE(fs::exists(root() / "step-20" / "model.pt"));
  expect_all_load(shared(), 3, {10});
}

TEST_F(CheckpointFault, AFailedSecondSaveOfAStepLeavesTheFirst) {
  save_steps(3, shared(), {10});
  fs::create_directories(root() / "step-10" / "rank-2.1.pt" / "in the way");
  const auto error = save_error(shared(), 10);
  EXPECT_NE(error.find("rank 2: cannot rename to"), std::string::npos) << error;
  expect_all_load(shared(), 3, {10});
}

TEST_F(CheckpointFault, AnUndefinedTensorFailsAll) {
  const auto error = save_error(shared(), 10, [](int rank, TrainingState& state) {
    if (rank == 2) state.rank_tensors[0].tensor = torch::Tensor();
  });
  EXPECT_NE(error.find("rank 2: "), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(root() / "step-10"));
}

/// Saves step after step for ever, each twice, so that replacing is killed too. Closes `first_done`
/// after the first.
[[noreturn]] void save_for_ever(const fs::path& folder, std::int64_t first_step, int first_done) {
  auto world = comm::local::make_world(1);
  CheckpointStore store(*world[0], folder, {.keep = 2}, kIdentity);
  for (std::int64_t step = first_step;; ++step) {
    store.save(make_state(0, step));
    if (step == first_step) ::close(first_done);
    store.save(make_state(0, step));
  }
}

/// Starts a child that saves, kills it after `delay`. In the first round (`wait`) not before one
/// checkpoint is whole, however slow the machine is.
void save_and_kill(const fs::path& folder, std::int64_t first_step, bool wait, useconds_t delay) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) save_for_ever(folder, first_step, ends[1]);
  ::close(ends[1]);
  char nothing = 0;
  if (wait) {
    EXPECT_EQ(::read(ends[0], &nothing, 1), 0);  // until the child closes its end
  }
  ::close(ends[0]);
  ::usleep(delay);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(CheckpointFault, AKilledProcessLeavesOnlyWholeCheckpoints) {
  Random random{2024};
  for (int round = 0; round < 25; ++round) {
    const auto delay = static_cast<useconds_t>(1'000 + random.below(40'000));
    save_and_kill(root(), round * 1'000, round == 0, delay);
    const auto steps = listed_steps(root());
    EXPECT_FALSE(steps.empty()) << "round " << round << " lost the older checkpoints";
    expect_all_load(shared(), 1, steps);
    EXPECT_EQ(load_on_all(1, shared()), "") << "round " << round;
  }
  save_steps(1, shared(), {1'000'000}, 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(root()), {}), 1) << "leftovers";
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "step-1000000"), {}), 4);
}

}  // namespace
}  // namespace convoy::trainer
