// SPDX-License-Identifier: Apache-2.0
// Checkpoints that are torn, foreign or too new: refused with a reason and an offer.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/checkpoint/states.h"
#include "trainer/checkpoint/checkpoint.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using namespace tests;

class CheckpointRefusal : public testing::Test {
 protected:
  void SetUp() override { save_steps(2, shared(), {10, 20, 30}); }

  [[nodiscard]] fs::path step(int n) const { return root() / ("step-" + std::to_string(n)); }
  [[nodiscard]] fs::path root() const { return folder_.path() / "checkpoints"; }
  [[nodiscard]] FolderOf shared() const {
    return [root = root()](int) { return root; };
  }
  [[nodiscard]] std::string error_of(int n) const { return load_on_all(2, shared(), step(n)); }

  void edit_manifest(int n, const std::function<void(nlohmann::json&)>& edit) const {
    auto json = nlohmann::json::parse(read_text_file(step(n) / "manifest.json"));
    edit(json);
    write_file_atomic(step(n) / "manifest.json", json.dump());
  }
  /// The newest is asked for and this one must come.
  void expect_falls_back_to(std::int64_t expected) const {
    const auto check = [&](int rank, const std::optional<TrainingState>& state) {
      ASSERT_TRUE(state.has_value());
      expect_state(*state, rank, expected);
    };
    EXPECT_EQ(load_on_all(2, shared(), {}, check), "");
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(CheckpointRefusal, AShortFile) {
  const auto file = step(30) / "rank-1.pt";
  const auto size = fs::file_size(file);
  fs::resize_file(file, 120);
  EXPECT_EQ(error_of(30), "checkpoint " + step(30).string() + " is torn: rank-1.pt has 120 of " +
                              std::to_string(size) +
                              " bytes; newest whole checkpoint: " + step(20).string());
  expect_falls_back_to(20);
  EXPECT_EQ(listed_steps(root()), (std::vector<std::int64_t>{10, 20}));
}

TEST_F(CheckpointRefusal, AMissingFile) {
  fs::remove(step(30) / "model.pt");
  fs::remove(step(20) / "optimizer.pt");
  EXPECT_EQ(error_of(30), "checkpoint " + step(30).string() + " is torn: model.pt is missing; " +
                              "newest whole checkpoint: " + step(10).string());
  expect_falls_back_to(10);
}

TEST_F(CheckpointRefusal, AChangedByte) {
  for (const auto* name : {"optimizer.pt", "rank-1.pt"}) {
    auto bytes = read_file(step(30) / name);
    bytes[bytes.size() / 2] ^= std::byte{1};
    write_file_atomic(step(30) / name, bytes);
    EXPECT_NE(error_of(30).find(" is torn: optimizer.pt has hash "), std::string::npos);
  }
  expect_falls_back_to(20);
}

TEST_F(CheckpointRefusal, OffersNothingThatIsDamagedItself) {
  auto bytes = read_file(step(20) / "model.pt");
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file_atomic(step(20) / "model.pt", bytes);
  fs::remove(step(30) / "rank-0.pt");
  EXPECT_NE(error_of(30).find("; newest whole checkpoint: " + step(10).string()),
            std::string::npos);
}

TEST_F(CheckpointRefusal, NoneWholeIsAnErrorNotAFreshStart) {
  for (const int n : {10, 20, 30}) fs::resize_file(step(n) / "model.pt", 7);
  const auto error = load_on_all(2, shared());
  EXPECT_TRUE(error.starts_with("no checkpoint in " + root().string() + " is whole: checkpoint " +
                                step(10).string() + " is torn: model.pt has 7 of "))
      << error;
  EXPECT_NE(error_of(20).find("; there is no other whole one in " + root().string()),
            std::string::npos);
}

TEST_F(CheckpointRefusal, AFolderWithoutManifest) {
  fs::remove(step(30) / "manifest.json");
  EXPECT_EQ(error_of(30), "checkpoint " + step(30).string() +
                              " cannot be used: it has no manifest.json; " +
                              "newest whole checkpoint: " + step(20).string());
  EXPECT_NE(error_of(77).find("step-77 cannot be used: it has no manifest.json"),
            std::string::npos);
  expect_falls_back_to(20);
}

TEST_F(CheckpointRefusal, ADamagedManifest) {
  fs::resize_file(step(30) / "manifest.json", 100);
  EXPECT_NE(error_of(30).find("cannot be used: manifest.json is damaged"), std::string::npos);
  edit_manifest(20, [](nlohmann::json& json) { json.erase("files"); });
  EXPECT_NE(error_of(20).find("cannot be used: manifest.json is damaged"), std::string::npos);
  expect_falls_back_to(10);
}

TEST_F(CheckpointRefusal, AManifestThatLeadsElsewhere) {
  edit_manifest(30, [](nlohmann::json& json) { json["files"][0]["name"] = "../step-20/model.pt"; });
  EXPECT_NE(error_of(30).find("manifest.json is damaged: bad file name"), std::string::npos);
}

TEST_F(CheckpointRefusal, AnotherProgramsManifest) {
  write_file_atomic(step(30) / "manifest.json", "{\"name\":\"a web application\"}");
  EXPECT_NE(error_of(30).find("manifest.json was not written by convoy"), std::string::npos);
}

TEST_F(CheckpointRefusal, ANewerFormat) {
  edit_manifest(30, [](nlohmann::json& json) { json["format"] = 2; });
  EXPECT_EQ(error_of(30), "checkpoint " + step(30).string() +
                              " cannot be used: its format is 2; this version reads up to 1; " +
                              "newest whole checkpoint: " + step(20).string());
}

TEST_F(CheckpointRefusal, AnotherJobs) {
  save_steps(2, shared(), {40}, 10, "feedfeedfeedfeed");
  const auto expected =
      "checkpoint " + step(40).string() +
      " belongs to another job: its identity is feedfeedfeedfeed, this job's is " + kIdentity +
      "; newest whole checkpoint: " + step(30).string();
  EXPECT_EQ(error_of(40), expected);
  EXPECT_EQ(load_on_all(2, shared()), expected);  // not passed by in silence
}

TEST_F(CheckpointRefusal, IsTheSameOnOneRank) {
  fs::resize_file(step(30) / "rank-0.pt", 3);
  const auto error = load_on_all(1, shared(), step(30));
  EXPECT_EQ(error, "") << "rank files are not needed by another number of ranks";
  fs::resize_file(step(30) / "model.pt", 3);
  EXPECT_NE(load_on_all(1, shared(), step(30)).find("model.pt has 3 of"), std::string::npos);
}

}  // namespace
}  // namespace convoy::trainer
