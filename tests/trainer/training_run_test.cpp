// SPDX-License-Identifier: Apache-2.0
#include "trainer/training_run.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <utility>
#include <vector>

#include "tests/trainer/training_fixture.h"
#include "trainer/checkpoint/checkpoint.h"

namespace convoy::trainer {
namespace {

/// Another data set, and somebody who is told of every look at it.
class WatchedDataset final : public Dataset {
 public:
  WatchedDataset(std::shared_ptr<const Dataset> inner, std::function<void()> on_get)
      : inner_(std::move(inner)), on_get_(std::move(on_get)) {}

  [[nodiscard]] std::int64_t size() const override { return inner_->size(); }
  [[nodiscard]] const DataInfo& info() const override { return inner_->info(); }
  [[nodiscard]] Batch get(std::span<const std::int64_t> indices,
                          std::uint64_t augment_key) const override {
    on_get_();
    return inner_->get(indices, augment_key);
  }

 private:
  std::shared_ptr<const Dataset> inner_;
  std::function<void()> on_get_;
};

TEST(TrainingRun, SavesItsLastCheckpointBeforeItEvaluates) {
  const tests::TemporaryFolder folder;
  Job job = tests::small_job();
  job.train.steps = 3;
  comm::local::run(1, [&](comm::Communicator& world) {
    std::vector<std::size_t> checkpoints_seen;
    Datasets datasets = load_datasets(job.data, job.run.seed);
    datasets.test = std::make_shared<WatchedDataset>(datasets.test, [&] {
      checkpoints_seen.push_back(list_checkpoints(folder.path() / "checkpoints").size());
    });
    const RunRequest request{.run_dir = folder.path(), .quiet = true};
    TrainingRun run(world, job, request, std::move(datasets));
    (void)run.run();
    ASSERT_FALSE(checkpoints_seen.empty());
    EXPECT_EQ(checkpoints_seen.front(), 1U);
  });
}

}  // namespace
}  // namespace convoy::trainer
