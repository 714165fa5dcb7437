// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/text_dataset.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

using test::config_error;
using Indices = std::vector<std::int64_t>;

std::string bytes_of(const torch::Tensor& tokens) {
  std::string text;
  for (std::int64_t i = 0; i < tokens.numel(); ++i) {
    text.push_back(static_cast<char>(tokens[i].item<std::int64_t>()));
  }
  return text;
}

class Text : public ::testing::Test {
 protected:
  [[nodiscard]] Datasets load(const std::string& content) {
    config_.path = folder_.file("a.txt", content);
    return load_text(config_);
  }

  test::DataFolder folder_;
  DataConfig config_{.name = "text", .context = 4};
};

TEST_F(Text, TargetsAreTheNextBytes) {
  const Datasets parts = load("abcdefghijklmnopqrstu");  // 21 bytes: 5 windows of 4
  ASSERT_EQ(parts.train->size(), 4);
  const Batch batch = parts.train->get(Indices{1, 0}, 0);
  EXPECT_EQ(batch.inputs.sizes(), (Indices{2, 4}));
  EXPECT_EQ(batch.inputs.dtype(), torch::kInt64);
  EXPECT_EQ(batch.targets.dtype(), torch::kInt64);
  EXPECT_EQ(bytes_of(batch.inputs[0]), "efgh");
  EXPECT_EQ(bytes_of(batch.targets[0]), "fghi");
  EXPECT_EQ(bytes_of(batch.inputs[1]), "abcd");
}

TEST_F(Text, TheTailIsTheTestPart) {
  const Datasets parts = load("abcdefghijklmnopqrstu");
  ASSERT_EQ(parts.test->size(), 1);
  const Batch batch = parts.test->get(Indices{0}, 0);
  EXPECT_EQ(bytes_of(batch.inputs[0]), "qrst");
  EXPECT_EQ(bytes_of(batch.targets[0]), "rstu");
  EXPECT_THROW((void)parts.test->get(Indices{1}, 0), ContractError);
}

TEST_F(Text, AShareOfItsOwnAndBytesAbove127) {
  config_.validation = 0.5;
  const Datasets parts = load(std::string(41, '\xff'));
  EXPECT_EQ(parts.train->size(), 5);
  EXPECT_EQ(parts.test->size(), 5);
  EXPECT_EQ(parts.train->get(Indices{0}, 0).inputs.max().item<int>(), 255);
  EXPECT_EQ(parts.train->info().classes, 256);
  EXPECT_EQ(parts.train->info().task, Task::kLanguage);
  EXPECT_EQ(parts.train->info().input_shape, (Indices{4}));
}

TEST_F(Text, AWindowNeedsTheByteBehindIt) {
  EXPECT_EQ(load(std::string(20, 'x')).train->size() + 1, 4);
  EXPECT_EQ(load(std::string(21, 'x')).train->size() + 1, 5);
}

TEST_F(Text, LimitReadsNoFurther) {
  config_.path = folder_.gzip_file("a.txt.dz", test::noise(1 << 20));
  folder_.resize("a.txt.dz", 1 << 19);
  EXPECT_NE(config_error([&] { (void)load_text(config_); }).find("break off after"),
            std::string::npos);
  config_.limit = 100;
  const Datasets parts = load_text(config_);
  EXPECT_EQ(parts.train->size(), 90);
  EXPECT_EQ(parts.test->size(), 10);
  EXPECT_NO_THROW(check_text(config_));
}

TEST_F(Text, RefusesATextThatIsTooShort) {
  config_.path = folder_.file("a.txt", "12345678");
  const std::string expected =
      config_.path + ": 8 bytes, but two samples of data.context = 4 need 9";
  EXPECT_EQ(config_error([&] { (void)load_text(config_); }), expected);
  EXPECT_EQ(config_error([&] { check_text(config_); }), expected);
}

}  // namespace
}  // namespace convoy::trainer::internal
