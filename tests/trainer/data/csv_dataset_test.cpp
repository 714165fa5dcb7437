// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/csv_dataset.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/internal/csv_reader.h"

namespace convoy::trainer::internal {
namespace {

using test::config_error;
using Records = std::vector<std::vector<std::string>>;
using Labels = std::vector<std::int64_t>;

Records read_records(const std::string& path) {
  CsvReader reader(path);
  Records records;
  std::vector<std::string> fields;
  while (reader.next(fields)) records.push_back(fields);
  return records;
}

class Csv : public ::testing::Test {
 protected:
  [[nodiscard]] Table read(const std::string& content, std::int64_t limit = 0) {
    config_.path = folder_.file("a.csv", content);
    return read_csv_table(config_, limit);
  }
  /// What is wrong with this content, without the path in front.
  [[nodiscard]] std::string error(const std::string& content) {
    const std::string message = config_error([&] { (void)read(content); });
    EXPECT_EQ(message.find(folder_ / "a.csv: "), 0U) << message;
    return message.substr((folder_ / "a.csv: ").size());
  }

  test::DataFolder folder_;
  DataConfig config_{.name = "csv"};
};

TEST_F(Csv, SplitsQuotedFieldsAndAllLineEndings) {
  const auto path = folder_.file("a.csv",
                                 "\xef\xbb\xbf"
                                 "a,\"b,c\",\"say \"\"hi\"\"\"\r\n\r\n"
                                 "1,,\"two\nlines\"\n\n3");
  EXPECT_EQ(read_records(path),
            (Records{{"a", "b,c", "say \"hi\""}, {"1", "", "two\nlines"}, {"3"}}));
}

TEST_F(Csv, ReadsACompressedFileLongerThanTheBuffer) {
  std::string content;
  for (int i = 0; i < 30'000; ++i) content += std::to_string(i) + ",\"x\"\n";
  const Records records = read_records(folder_.gzip_file("a.csv.gz", content));
  ASSERT_EQ(records.size(), 30'000U);
  for (int i = 0; i < 30'000; ++i) EXPECT_EQ(records[i][0], std::to_string(i));
}

TEST_F(Csv, TellsFeaturesFromTheLabelColumn) {
  const Table table = read("x, label ,y\n1,cat,-2.5\n+3e1,ant, 4 \n5,cat,6\n");
  EXPECT_EQ(table.columns, 2);
  EXPECT_EQ(table.features, (std::vector<double>{1, -2.5, 30, 4, 5, 6}));
  EXPECT_EQ(table.labels, (Labels{1, 0, 1}));
  EXPECT_EQ(table.classes, 2);
  EXPECT_EQ(table.rows(), 3);
}

TEST_F(Csv, SortsIntegerLabelsByValue) {
  EXPECT_EQ(read("x,label\n1,10\n1,2\n1,-3\n1,02\n").labels, (Labels{2, 1, 0, 1}));
  EXPECT_EQ(read("x,label\n1,10\n1,2\n1,b\n").labels, (Labels{0, 1, 2}));
}

TEST_F(Csv, ReadsTheColumnsThatTheJobNamesInItsOrder) {
  config_.columns = {"age", "weight"};
  const Table table = read("name,weight,label,age\nann,70,a,31\nbob,80,b,42\n");
  EXPECT_EQ(table.columns, 2);
  EXPECT_EQ(table.features, (std::vector<double>{31, 70, 42, 80}));
  EXPECT_EQ(table.labels, (Labels{0, 1}));
  EXPECT_EQ(error("weight,label\n70,a\n"),
            "line 1: no column \"age\" (data.columns); there are: weight, label");
}

TEST_F(Csv, NumbersLabelsAsTheJobDoesAlsoWhereAClassIsMissing) {
  config_.labels = {"well", "ill", "unclear"};
  const Table table = read("x,label\n1,unclear\n2, well\n");
  EXPECT_EQ(table.labels, (Labels{2, 0}));
  EXPECT_EQ(table.classes, 3);
  EXPECT_EQ(error("x,label\n1,ill\n2,Ill\n"),
            "line 3, column 2 (\"label\"): \"Ill\" is none of data.labels");
}

TEST_F(Csv, KeepsRegressionTargetsAsTheyAre) {
  config_.task = "regress";
  config_.label = "y";
  const Table table = read("x,y\n1,0.5\n2,-7\n");
  EXPECT_EQ(table.targets, (std::vector<float>{0.5F, -7.0F}));
  EXPECT_TRUE(table.labels.empty());
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(error("x,y\n1,much\n"), "line 2, column 2 (\"y\"): \"much\" is not a number");
}

TEST_F(Csv, LimitTakesTheFirstRows) {
  EXPECT_EQ(read("x,label\n1,a\n2,b\nbad,c\n", 2).labels, (Labels{0, 1}));
}

TEST_F(Csv, NamesLineAndColumnOfABadCell) {
  EXPECT_EQ(error("x,label,y\n1,a,2\n\n1,a,2x\n"),
            "line 4, column 3 (\"y\"): \"2x\" is not a number");
  EXPECT_EQ(error("x,label\n,a\n"), "line 2, column 1 (\"x\"): \"\" is not a number");
  EXPECT_EQ(error("x,label\n\"a\n\tb\",a\n"), "line 2, column 1 (\"x\"): \"a??b\" is not a number");
  EXPECT_EQ(error("x,label\nnan,a\n"),
            "line 2, column 1 (\"x\"): \"nan\" is not a finite float32 number");
  EXPECT_EQ(error("x,label\n1e300,a\n"),
            "line 2, column 1 (\"x\"): \"1e300\" is not a finite float32 number");
  EXPECT_EQ(error("x,label\n1, \n"), "line 2, column 2 (\"label\"): empty label");
  EXPECT_EQ(error("x,label\n" + std::string(1000, 'z') + ",a\n"),
            "line 2, column 1 (\"x\"): \"" + std::string(40, 'z') + "...\" is not a number");
}

TEST_F(Csv, NamesTheLineOfABrokenRecord) {
  EXPECT_EQ(error("x,label\n1,a\n1,a,3\n"), "line 3: 3 columns, the header has 2");
  EXPECT_EQ(error("x,label\n1\n"), "line 2: 1 columns, the header has 2");
  EXPECT_EQ(error("x,label\n1,\"a\n2,b\n"), "line 2: a quote is never closed");
  EXPECT_EQ(error("x,label\n1,\"a\"b\n"), "line 2: text follows a closing quote");
}

TEST_F(Csv, RefusesAnImpossibleHeader) {
  EXPECT_EQ(error(""), "empty");
  EXPECT_EQ(error("x,y\n1,2\n"), "line 1: no column \"label\" (data.label); there are: x, y");
  EXPECT_EQ(error("x,x,label\n1,2,a\n"), "line 1: column \"x\" is there twice");
  EXPECT_EQ(error("label\na\n"), "no column beside the label");
  EXPECT_EQ(error("x,label\n"), "no row below the header");
}

TEST_F(Csv, NoticesACutOffGzip) {
  std::string content = "x,label\n";
  for (int i = 0; i < 10'000; ++i) content += std::to_string(i * 7919 % 10007) + ",a\n";
  config_.path = folder_.gzip_file("b.csv.gz", content);
  folder_.resize("b.csv.gz", std::filesystem::file_size(config_.path) / 2);
  const std::string message = config_error([&] { (void)read_csv_table(config_, 0); });
  EXPECT_EQ(message.find(config_.path + ": truncated: the gzip data break off after "), 0U)
      << message;
}

TEST(Table, StandardizesByTheGivenRowsOnly) {
  Table table{.columns = 2, .classes = 2, .features = {1, 5, 3, 5, 100, 5}, .labels = {0, 1, 0}};
  standardize(table, Labels{0, 1});
  EXPECT_EQ(table.features, (std::vector<double>{-1, 0, 1, 0, 98, 0}));
}

}  // namespace
}  // namespace convoy::trainer::internal
