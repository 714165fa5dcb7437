// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/data_schema.h"

#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"
#include "tests/temporary_folder.h"

namespace convoy::trainer {
namespace {

DataConfig csv(const std::string& path = "") {
  return {.name = "csv",
          .path = path,
          .label = "outcome",
          .columns = {"age", "weight"},
          .labels = {"ill", "well"}};
}

DataSchema csv_schema() { return schema_of(csv(), info_without_data(csv())); }

std::string error_of(const DataConfig& config) {
  try {
    (void)info_without_data(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// A server without data and a site with them must mean the same.
void expect_known(const DataConfig& config) {
  const DataSchema loaded = schema_of(config, load_datasets(config, 1).train->info());
  const DataSchema known = schema_of(config, info_without_data(config));
  EXPECT_EQ(to_text(known), to_text(loaded));
  EXPECT_EQ(hash_of(known), hash_of(loaded));
}

TEST(DataSchema, IsKnownWithoutTheData) {
  const tests::TemporaryFolder folder;
  expect_known({.name = "synthetic", .samples = 50, .features = 7, .classes = 3});
  expect_known({.name = "text", .path = folder.file("text", std::string(600, 'a')), .context = 20});
  const std::string table = folder.file(
      "table.csv", "name,weight,outcome,age\na,70,well,31\nb,80,well,42\nc,75,well,60\n");
  expect_known(csv(table));
  DataConfig regress = csv(table);
  regress.task = "regress";
  regress.label = "weight";
  regress.columns = {"age"};
  regress.labels.clear();
  expect_known(regress);
}

TEST(DataSchema, KnowsInstalledImages) {
  DataConfig config{.name = "fashion-mnist", .limit = 10};
  try {
    check_data(config);
  } catch (const ConfigError& error) {  // Debian's package is not on every machine
    GTEST_SKIP() << "no Fashion-MNIST here: " << error.what();
  }
  expect_known(config);
}

TEST(DataSchema, KnowsCifarByItsFormat) {
  EXPECT_EQ(info_without_data({.name = "cifar10"}).input_shape,
            (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(info_without_data({.name = "cifar100"}).classes, 100);
}

TEST(DataSchema, ACsvJobMustNameColumnsAndClasses) {
  DataConfig config = csv();
  config.columns.clear();
  EXPECT_TRUE(error_of(config).starts_with("data.columns: ")) << error_of(config);
  config = csv();
  config.labels.clear();
  EXPECT_TRUE(error_of(config).starts_with("data.labels: ")) << error_of(config);
  config.task = "regress";
  EXPECT_EQ(error_of(config), "");
}

TEST(DataSchema, IsToldInOneLine) {
  EXPECT_EQ(to_text(csv_schema()),
            "csv to classify: float32 [2] of age, weight; 2 classes of outcome: ill, well");
  DataConfig config{.name = "fashion-mnist"};
  EXPECT_EQ(to_text(schema_of(config, info_without_data(config))),
            "fashion-mnist to classify: float32 [1, 28, 28]; 10 classes");
  config = csv();
  config.task = "regress";
  config.labels.clear();
  EXPECT_EQ(to_text(schema_of(config, info_without_data(config))),
            "csv to regress: float32 [2] of age, weight; target outcome");
}

TEST(DataSchema, EveryFieldChangesTheHash) {
  const DataSchema schema = csv_schema();
  std::set<std::uint64_t> hashes{hash_of(schema)};
  const auto changed = [&](auto change) {
    DataSchema other = schema;
    change(other);
    hashes.insert(hash_of(other));
  };
  changed([](DataSchema& s) { s.kind = "text"; });
  changed([](DataSchema& s) { s.task = "regress"; });
  changed([](DataSchema& s) { s.element = "int64"; });
  changed([](DataSchema& s) { s.input_shape = {2, 1}; });
  changed([](DataSchema& s) { s.classes = 3; });
  changed([](DataSchema& s) { s.label = "out"; });
  changed([](DataSchema& s) { s.columns = {"weight", "age"}; });
  changed([](DataSchema& s) { s.columns = {"ageweight"}; });
  changed([](DataSchema& s) { s.labels = {"ill"}; });
  changed([](DataSchema& s) { std::swap(s.columns, s.labels); });
  EXPECT_EQ(hashes.size(), 11U);
}

// It travels between machines and versions.
TEST(DataSchema, KeepsItsHash) { EXPECT_EQ(hash_of(csv_schema()), 9337036088498145309U); }

}  // namespace
}  // namespace convoy::trainer
