// SPDX-License-Identifier: Apache-2.0
// The data of Debian's packages dataset-fashion-mnist and dict-gcide, which ./run installs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/dataset.h"

namespace convoy::trainer {
namespace {

using Indices = std::vector<std::int64_t>;

constexpr const char* kFashion = "/usr/share/datasets/fashion-mnist";
constexpr const char* kDictionary = "/usr/share/dictd/gcide.dict.dz";

Indices first_of(const Dataset& dataset, std::int64_t count) {
  Indices indices(std::min(count, dataset.size()));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

/// Loaded once for all tests.
const Datasets& fashion() {
  static const Datasets parts = load_datasets({}, 1);
  return parts;
}

class FashionMnist : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFashion)) GTEST_SKIP() << "no dataset-fashion-mnist";
  }
};

TEST_F(FashionMnist, HasTenBalancedClasses) {
  EXPECT_NO_THROW(check_data({}));
  ASSERT_EQ(fashion().train->size(), 60'000);
  ASSERT_EQ(fashion().test->size(), 10'000);
  for (const auto& [part, each] : {std::pair(fashion().train, 6000), {fashion().test, 1000}}) {
    const Batch batch = part->get(first_of(*part, part->size()), 0);
    EXPECT_EQ(torch::bincount(batch.targets).sizes(), (Indices{10}));
    EXPECT_TRUE(torch::bincount(batch.targets).eq(each).all().item<bool>());
  }
}

TEST_F(FashionMnist, IsNormalised) {
  const Batch batch = fashion().train->get(first_of(*fashion().train, 60'000), 0);
  EXPECT_NEAR(batch.inputs.mean().item<double>(), 0.0, 1e-3);
  EXPECT_NEAR(batch.inputs.pow(2).mean().item<double>(), 1.0, 2e-3);
  EXPECT_EQ(batch.targets[0].item<int>(), 9);  // an ankle boot
}

TEST_F(FashionMnist, LimitAndValidationShareOneTrainingPart) {
  const Datasets parts = load_datasets({.validation = 0.2, .limit = 1000}, 1);
  EXPECT_EQ(parts.train->size(), 800);
  EXPECT_EQ(parts.test->size(), 200);
  EXPECT_TRUE(torch::equal(load_datasets({.limit = 10}, 1).train->get(Indices{7}, 0).inputs,
                           fashion().train->get(Indices{7}, 0).inputs));
}

TEST_F(FashionMnist, OnlyTheTrainingPartIsAugmented) {
  const Datasets parts = load_datasets({.augment = true, .limit = 50}, 1);
  const Indices ten = first_of(*parts.train, 10);
  EXPECT_FALSE(torch::equal(parts.train->get(ten, 3).inputs, parts.train->get(ten, 0).inputs));
  EXPECT_TRUE(torch::equal(parts.test->get(ten, 3).inputs, parts.test->get(ten, 0).inputs));
}

TEST_F(FashionMnist, ACopyThatWasCutShortIsFoundByTheCheapCheck) {
  const test::DataFolder folder;
  for (const auto& entry : std::filesystem::directory_iterator(kFashion)) {
    std::filesystem::copy(entry.path(), folder / entry.path().filename().string());
  }
  DataConfig config;
  config.path = folder.path();
  EXPECT_NO_THROW(check_data(config));
  folder.resize("train-images-idx3-ubyte.gz", 20'000'000);
  const auto message = test::config_error([&] { check_data(config); });
  EXPECT_EQ(message.find(folder / "train-images-idx3-ubyte.gz" +
                         ": truncated: header says 60000 images of 28x28 (47040000 bytes), found "),
            0U)
      << message;
}

class Dictionary : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kDictionary)) GTEST_SKIP() << "no dict-gcide";
  }
};

TEST_F(Dictionary, IsEnglishText) {
  const DataConfig config{.name = "text", .path = kDictionary, .limit = 8000, .context = 128};
  EXPECT_NO_THROW(check_data(config));
  const Datasets parts = load_datasets(config, 1);
  ASSERT_EQ(parts.train->size(), 7200);
  ASSERT_EQ(parts.test->size(), 800);
  const Batch batch = parts.train->get(first_of(*parts.train, 7200), 0);
  EXPECT_EQ(batch.inputs.sizes(), (Indices{7200, 128}));
  const auto counts = torch::bincount(batch.inputs.flatten(), {}, 256).to(torch::kFloat64);
  const auto share = counts / counts.sum();
  EXPECT_GT(share['e'].item<double>(), 0.04);
  EXPECT_GT(share['e'].item<double>(), 10 * share['z'].item<double>());
  EXPECT_TRUE(
      torch::equal(batch.inputs.flatten().slice(0, 1), batch.targets.flatten().slice(0, 0, -1)));
}

}  // namespace
}  // namespace convoy::trainer
