// SPDX-License-Identifier: Apache-2.0
// `convoy audit` as scripts call it.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "scheduler/journal/audit_log.h"
#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

using scheduler::journal::AuditLog;

struct Ended {
  int code;
  std::string output;
  std::string errors;
  std::int64_t peak_bytes;
};

Ended audit(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "audit");
  Child child(folder, arguments);
  const auto code = child.wait();
  return {code.value_or(-1), child.output(), child.errors(), child.peak_bytes()};
}

/// Contributions. @return the head.
std::string write_log(const std::string& path, int records = 3) {
  AuditLog log(path);
  for (int i = 0; i < records; ++i) {
    (void)log.append({.input = static_cast<std::uint64_t>(i),
                      .event = "contribution",
                      .site = "clinic-b",
                      .update = "u" + std::to_string(i),
                      .version = i + 1,
                      .steps = 40,
                      .weight = 0.25,
                      .epsilon = 1.5});
  }
  log.sync();
  return to_hex(log.head().value());
}

TEST(AuditCommand, PrintsATable) {
  const TemporaryFolder folder;
  const std::string head = write_log(folder / "audit.jsonl");
  const Ended ended = audit(folder, {folder / "audit.jsonl"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.output.find("contribution  clinic-b  u1            2       40       0.25"),
            std::string::npos)
      << ended.output;
  EXPECT_NE(ended.output.find("3 records, the chain is whole; its head is " + head),
            std::string::npos);
  EXPECT_NE(ended.output.find("only a remembered head can tell"), std::string::npos);
  EXPECT_EQ(
      audit(folder, {folder / "audit.jsonl", "--head", head}).output.find("only a remembered head"),
      std::string::npos);
}

TEST(AuditCommand, PrintsOneJsonDocument) {
  const TemporaryFolder folder;
  const std::string head = write_log(folder / "audit.jsonl");
  const Ended ended = audit(folder, {folder / "audit.jsonl", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  const auto document = nlohmann::json::parse(ended.output);
  EXPECT_EQ(document.at("whole"), true);
  EXPECT_EQ(document.at("head"), head);
  EXPECT_EQ(document.at("records").size(), 3U);
  EXPECT_EQ(document.at("records")[2].at("epsilon"), 1.5);
}

TEST(AuditCommand, PrintsADocumentOfNoRecords) {
  const TemporaryFolder folder;
  const Ended ended = audit(folder, {folder.file("audit.jsonl", ""), "--json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(nlohmann::json::parse(ended.output), nlohmann::json::parse(R"({"whole": true,
      "findings": [], "torn_bytes": 0, "head": null, "records": []})"));
}

/// A server writes one a contribution, for years.
TEST(AuditCommand, HoldsOneRecordHoweverManyThereAre) {
  constexpr int kRecords = 40'000;
  const TemporaryFolder folder;
  write_log(folder / "short.jsonl");
  write_log(folder / "long.jsonl", kRecords);
  const auto peak = [&](const std::vector<std::string>& arguments, int records) {
    const Ended ended = audit(folder, arguments);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    const std::string newest = "u" + std::to_string(records - 1);
    EXPECT_NE(ended.output.find(newest), std::string::npos);
    return ended.peak_bytes;
  };
  const std::int64_t few = peak({folder / "short.jsonl"}, 3);
  EXPECT_GT(few, 1 << 20);
  EXPECT_LT(peak({folder / "long.jsonl"}, kRecords), few + (8 << 20));
  EXPECT_LT(peak({folder / "long.jsonl", "--json"}, kRecords), few + (8 << 20));
}

TEST(AuditCommand, FailsWhereTheChainIsBroken) {
  const TemporaryFolder folder;
  const std::string head = write_log(folder / "audit.jsonl");
  std::ifstream file(folder / "audit.jsonl");
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  folder.file("short.jsonl", first + "\n" + second + "\n");
  EXPECT_EQ(audit(folder, {folder / "short.jsonl"}).code, 0);
  const Ended cut = audit(folder, {folder / "short.jsonl", "--head", head});
  EXPECT_EQ(cut.code, 1);
  EXPECT_NE(cut.output.find("is not in the file (it ends with record 1)"), std::string::npos);
  folder.file("gone.jsonl", second + "\n");
  const Ended gone = audit(folder, {folder / "gone.jsonl", "--json"});
  EXPECT_EQ(gone.code, 1);
  EXPECT_EQ(nlohmann::json::parse(gone.output).at("findings"),
            nlohmann::json::parse(R"(["line 1: record 0 is missing before record 1"])"));
}

TEST(AuditCommand, ShowsNothingThatHarmsATerminal) {
  const TemporaryFolder folder;
  {
    AuditLog log(folder / "audit.jsonl");
    (void)log.append({.event = "leave", .site = "clinic-b", .text = "bye\x1b[2J"});
    log.sync();
  }
  const Ended ended = audit(folder, {folder / "audit.jsonl"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.output.find('\x1b'), std::string::npos);
  EXPECT_NE(ended.output.find("  bye?[2J\n"), std::string::npos) << ended.output;
}

TEST(AuditCommand, RefusesWhatItCannotRead) {
  const TemporaryFolder folder;
  EXPECT_EQ(audit(folder, {folder / "none.jsonl"}).code, 2);
  const Ended ended = audit(folder, {folder / "none.jsonl", "--head", "abc"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.errors, "convoy: --head takes 64 hexadecimal digits (0-9, a-f)\n");
}

}  // namespace
}  // namespace convoy::tests
