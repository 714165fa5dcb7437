// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/dataset.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer {
namespace {

using test::config_error;
using Indices = std::vector<std::int64_t>;

Batch all_of(const Dataset& dataset) {
  Indices indices(dataset.size());
  std::iota(indices.begin(), indices.end(), 0);
  return dataset.get(indices, 0);
}

/// What check_data() and load_datasets() both say.
std::string error_of(const DataConfig& config) {
  const std::string message = config_error([&] { check_data(config); });
  EXPECT_EQ(message, config_error([&] { (void)load_datasets(config, 1); }));
  return message;
}

TEST(CheckData, NamesTheKnownDataSets) {
  EXPECT_EQ(error_of({.name = "mnist"}),
            "data.name: \"mnist\" is none of: fashion-mnist, cifar10, cifar100, text, csv, "
            "synthetic");
}

TEST(CheckData, RefusesImpossibleValues) {
  DataConfig config{.name = "synthetic"};
  const auto with = [&](auto DataConfig::*key, auto value) {
    DataConfig changed = config;
    changed.*key = value;
    return error_of(changed);
  };
  EXPECT_EQ(with(&DataConfig::validation, 1.0), "data.validation = 1: must be in [0, 1)");
  EXPECT_EQ(with(&DataConfig::validation, -0.5), "data.validation = -0.5: must be in [0, 1)");
  EXPECT_EQ(with(&DataConfig::validation, std::numeric_limits<double>::quiet_NaN()),
            "data.validation = nan: must be in [0, 1)");
  EXPECT_EQ(with(&DataConfig::context, 0), "data.context = 0: must be in 1..1000000");
  EXPECT_EQ(with(&DataConfig::limit, -1), "data.limit = -1: must be in 0..1000000000");
  EXPECT_EQ(with(&DataConfig::limit, 1), "data.limit = 1: leaves no sample for evaluation");
  EXPECT_EQ(with(&DataConfig::pad_pixels, 28), "data.pad_pixels = 28: must be in 0..27");
  EXPECT_EQ(with(&DataConfig::samples, 1), "data.samples = 1: must be in 2..1000000000");
  EXPECT_EQ(with(&DataConfig::classes, 1), "data.classes = 1: must be in 2..1000000000");
  EXPECT_EQ(with(&DataConfig::features, 0), "data.features = 0: must be in 1..1000000000");
  EXPECT_EQ(with(&DataConfig::features, 1'000'000),
            "data: 10000 samples or 10 classes of 1000000 features: beyond 1000000000 values");
  EXPECT_EQ(with(&DataConfig::task, "guess"), "data.task: \"guess\" is none of: classify, regress");
  EXPECT_EQ(with(&DataConfig::augment, true), "data.augment: \"synthetic\" has no images");
  EXPECT_NO_THROW(check_data(config));
}

TEST(CheckData, RefusesImpossibleColumnsAndLabels) {
  DataConfig config{.name = "csv", .path = "/no/such.csv"};
  const auto with = [&](auto DataConfig::*key, std::vector<std::string> value) {
    DataConfig changed = config;
    changed.*key = std::move(value);
    return error_of(changed);
  };
  EXPECT_EQ(with(&DataConfig::columns, {"a", "a"}), "data.columns: \"a\" is there twice");
  EXPECT_EQ(with(&DataConfig::columns, {"a", ""}), "data.columns: an empty name");
  EXPECT_EQ(with(&DataConfig::columns, {"a", "label"}), "data.columns: \"label\" is data.label");
  EXPECT_EQ(with(&DataConfig::labels, {"a"}), "data.labels: must be at least two");
  config.task = "regress";
  EXPECT_EQ(with(&DataConfig::labels, {"a", "b"}),
            "data.labels: data.task = \"regress\" has no classes");
  config.name = "text";
  EXPECT_EQ(with(&DataConfig::columns, {"a"}), "data.columns: only \"csv\" has them, not \"text\"");
}

TEST(CheckData, AsksForAPathWhereThereIsNoDefault) {
  EXPECT_EQ(error_of({.name = "text"}),
            "data.path: \"text\" needs a file, for example /usr/share/dictd/gcide.dict.dz of "
            "Debian's dict-gcide");
  EXPECT_EQ(error_of({.name = "cifar10", .path = ""}),
            "data.path: \"cifar10\" needs the folder of CIFAR-10's binary version");
}

TEST(CheckData, NamesMissingFiles) {
  EXPECT_EQ(error_of({.name = "csv", .path = "/no/such.csv"}), "/no/such.csv: no such file");
  EXPECT_EQ(error_of({.path = "/no/such"}),
            "/no/such: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz there; "
            "apt-get install dataset-fashion-mnist, or set data.path");
}

TEST(Synthetic, IsSplitBalancedAndRepeatable) {
  const DataConfig config{.name = "synthetic", .samples = 1000, .features = 3, .classes = 4};
  const Datasets parts = load_datasets(config, 5);
  EXPECT_EQ(parts.train->size(), 900);
  EXPECT_EQ(parts.test->size(), 100);
  EXPECT_EQ(parts.train->info().input_shape, (Indices{3}));
  EXPECT_EQ(parts.train->info().classes, 4);
  const Batch batch = all_of(*parts.train);
  EXPECT_EQ(batch.inputs.sizes(), (Indices{900, 3}));
  EXPECT_EQ(torch::bincount(torch::cat({batch.targets, all_of(*parts.test).targets}))
                .eq(250)
                .all()
                .item<bool>(),
            true);
  EXPECT_TRUE(torch::equal(batch.inputs, all_of(*load_datasets(config, 5).train).inputs));
  EXPECT_FALSE(torch::equal(batch.inputs, all_of(*load_datasets(config, 6).train).inputs));
}

TEST(Synthetic, ClustersCanBeLearned) {
  const Datasets parts = load_datasets({.name = "synthetic"}, 1);
  const Batch train = all_of(*parts.train);
  std::vector<torch::Tensor> centres;
  for (int c = 0; c < 10; ++c) centres.push_back(train.inputs.index({train.targets == c}).mean(0));
  const Batch test = all_of(*parts.test);
  const auto nearest = torch::cdist(test.inputs, torch::stack(centres)).argmin(1);
  EXPECT_GT(nearest.eq(test.targets).to(torch::kFloat64).mean().item<double>(), 0.95);
}

TEST(Csv, FeaturesAreStandardisedByTheTrainingPart) {
  const test::DataFolder folder;
  std::string content = "x,label,y\n";
  for (int i = 0; i < 200; ++i) {
    content += std::to_string(1e6 + i) + (i % 2 == 0 ? ",even," : ",odd,") + "7\n";
  }
  const DataConfig config{.name = "csv", .path = folder.file("a.csv", content)};
  EXPECT_NO_THROW(check_data(config));
  const Datasets parts = load_datasets(config, 1);
  EXPECT_EQ(parts.test->size(), 20);
  const Batch train = all_of(*parts.train);
  const auto x = train.inputs.select(1, 0).to(torch::kFloat64);
  EXPECT_NEAR(x.mean().item<double>(), 0.0, 1e-6);
  EXPECT_NEAR(x.pow(2).mean().item<double>(), 1.0, 1e-6);
  EXPECT_EQ(train.inputs.select(1, 1).abs().max().item<float>(), 0.0F);
  EXPECT_NE(all_of(*parts.test).inputs.select(1, 0).mean().item<float>(), 0.0F);
  EXPECT_EQ(parts.train->info().classes, 2);
}

TEST(Csv, RegressionHasAColumnOfTargets) {
  const DataConfig config{.name = "csv",
                          .path = CONVOY_TEST_DATA "/points.csv",
                          .validation = 0.5,
                          .label = "height",
                          .task = "regress"};
  EXPECT_THROW(check_data(config), ConfigError);  // the column of names
  const test::DataFolder folder;
  DataConfig numbers = config;
  numbers.path = folder.file("a.csv", "x,height\n1,2\n3,4\n5,6\n7,8\n");
  const Datasets parts = load_datasets(numbers, 1);
  const Batch batch = all_of(*parts.train);
  EXPECT_EQ(parts.train->info().task, Task::kRegress);
  EXPECT_EQ(parts.train->info().classes, 1);
  EXPECT_EQ(batch.targets.sizes(), (Indices{2, 1}));
  EXPECT_EQ(batch.targets.dtype(), torch::kFloat32);
}

TEST(Csv, ReadsTheExampleWithQuotedNames) {
  const DataConfig config{.name = "csv", .path = CONVOY_TEST_DATA "/points.csv", .label = "kind"};
  const Datasets parts = load_datasets(config, 1);
  EXPECT_EQ(parts.train->size() + parts.test->size(), 12);
  EXPECT_EQ(parts.train->info().classes, 3);
  EXPECT_EQ(parts.train->info().input_shape, (Indices{2}));
}

TEST(Csv, RefusesASingleClass) {
  const test::DataFolder folder;
  const auto path = folder.file("a.csv", "x,label\n1,a\n2,a\n");
  EXPECT_EQ(config_error([&] { (void)load_datasets({.name = "csv", .path = path}, 1); }),
            path + ": all rows have the same \"label\"");
}

TEST(Cifar, LoadsThroughTheFrontDoor) {
  const test::DataFolder folder;
  for (int i = 1; i <= 5; ++i) {
    const std::string name = "data_batch_" + std::to_string(i) + ".bin";
    (void)folder.file(name, "\1" + test::noise(3072) + "\2" + test::noise(3072, 2));
    folder.resize(name, 10'000 * 3073);
  }
  DataConfig config{.name = "cifar10", .path = folder.path(), .limit = 10};
  EXPECT_NE(error_of(config).find("no test_batch.bin or test_batch.bin.gz"), std::string::npos);
  config.validation = 0.3;  // needs no test file
  EXPECT_NO_THROW(check_data(config));
  const Datasets parts = load_datasets(config, 1);
  EXPECT_EQ(parts.train->size(), 7);
  EXPECT_EQ(parts.test->size(), 3);
  EXPECT_EQ(parts.train->info().input_shape, (Indices{3, 32, 32}));
}

}  // namespace
}  // namespace convoy::trainer
