// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/audit_log.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "scheduler/journal/storage_error.h"
#include "tests/scheduler/journal/audit_report.h"
#include "tests/scheduler/journal/faulty_disk.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
using Lines = std::vector<std::string>;

AuditEvent contribution(std::int64_t i) {
  return {.input = static_cast<Sequence>(i / 2),
          .part = i % 2,
          .time = 0.1 * static_cast<double>(i),
          .event = "contribution",
          .site = "clinic-" + std::to_string(i % 3),
          .update = "u" + std::to_string(i),
          .sha256 = sha256("payload"),
          .version = i,
          .samples = 100 + i,
          .steps = 40,
          .weight = 1.0 / 3.0,
          .epsilon = 0.5 + 0.1 * static_cast<double>(i)};
}

/// Five records.
std::string write_log(const TemporaryFolder& folder) {
  const std::string path = folder / "audit.jsonl";
  AuditLog log(path);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(log.append(contribution(i)));
  log.sync();
  return path;
}

Lines lines_of(const std::string& path) {
  std::istringstream text(read_text_file(path));
  Lines lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Lines findings_of(const TemporaryFolder& folder, const Lines& lines,
                  const std::optional<Sha256>& head = std::nullopt) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return read_audit(folder.file("changed.jsonl", text), head).findings;
}

TEST(AuditLog, SaysWhoContributedWhat) {
  const TemporaryFolder folder;
  const AuditReport report = read_audit(write_log(folder));
  EXPECT_EQ(report.findings, Lines{});
  ASSERT_EQ(report.records.size(), 5U);
  const AuditRecord& record = report.records[3];
  EXPECT_EQ(record.number, 3);
  EXPECT_EQ(record.event.site, "clinic-0");
  EXPECT_EQ(record.event.update, "u3");
  EXPECT_EQ(record.event.sha256, sha256("payload"));
  EXPECT_EQ(record.event.version, 3);
  EXPECT_EQ(record.event.weight, 1.0 / 3.0);
  EXPECT_EQ(record.event.epsilon, 0.5 + 0.1 * 3.0);
  EXPECT_EQ(record.previous, report.records[2].hash);
  EXPECT_EQ(record.at.size(), std::string("2026-01-01T00:00:00Z").size());
  EXPECT_EQ(report.newest->hash, report.records[4].hash);
}

TEST(AuditLog, NamesEveryChangedRecord) {
  const TemporaryFolder folder;
  const Lines whole = lines_of(write_log(folder));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (std::size_t at = 0; at < whole[i].size(); ++at) {
      Lines lines = whole;
      lines[i][at] = static_cast<char>(lines[i][at] ^ 1);
      const Lines findings = findings_of(folder, lines);
      ASSERT_EQ(findings.size(), 1U) << i << ", byte " << at;
      EXPECT_EQ(findings[0],
                "line " + std::to_string(i + 1) + ": record " + std::to_string(i) + " was changed");
    }
    if (i == 1) break;  // all have the same form
  }
}

TEST(AuditLog, NamesRecordsThatWereReplaced) {
  // By somebody who computes the hash anew.
  const TemporaryFolder folder;
  Lines lines = lines_of(write_log(folder));
  std::string body = lines[2].substr(0, lines[2].find(",\"hash\""));
  body.replace(body.find("\"steps\":40"), 10, "\"steps\":90");
  lines[2] = body + ",\"hash\":\"" + to_hex(sha256(body)) + "\"}";
  EXPECT_EQ(findings_of(folder, lines),
            Lines{"line 3: record 2 was replaced: record 3 remembers another one"});
}

TEST(AuditLog, NamesRecordsThatAreMissingOrOutOfPlace) {
  const TemporaryFolder folder;
  const Lines whole = lines_of(write_log(folder));
  Lines lines = whole;
  lines.erase(lines.begin() + 1);
  EXPECT_EQ(findings_of(folder, lines), Lines{"line 2: record 1 is missing before record 2"});
  lines = whole;
  lines.erase(lines.begin(), lines.begin() + 3);
  EXPECT_EQ(findings_of(folder, lines),
            Lines{"line 1: records 0 to 2 are missing before record 3"});
  lines = whole;
  std::swap(lines[1], lines[2]);
  EXPECT_EQ(findings_of(folder, lines), (Lines{"line 2: record 1 is missing before record 2",
                                               "line 3: record 1 stands where record 3 should"}));
  lines = whole;
  lines.insert(lines.begin() + 2, whole[1]);
  EXPECT_EQ(findings_of(folder, lines), Lines{"line 3: record 1 stands where record 2 should"});
}

TEST(AuditLog, MissesAnEndOnlyWithARememberedHead) {
  const TemporaryFolder folder;
  const std::string path = write_log(folder);
  Lines lines = lines_of(path);
  const auto head = read_audit(path).newest->hash;
  EXPECT_EQ(findings_of(folder, lines, head), Lines{});
  lines.pop_back();
  EXPECT_EQ(findings_of(folder, lines), Lines{}) << "a shorter log is a log";
  const Lines findings = findings_of(folder, lines, head);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0], "the record with the remembered hash " + to_hex(head) +
                             " is not in the file (it ends with record 3): records were cut off at "
                             "the end, or replaced");
  EXPECT_EQ(findings_of(folder, {}, head).size(), 1U);
}

TEST(AuditLog, GoesOnAndWritesNothingTwice) {
  const TemporaryFolder folder;
  const std::string path = write_log(folder);
  const auto head = read_audit(path).newest->hash;
  {
    AuditLog log(path, head);
    // A replay after a crash comes by all of them again.
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(log.append(contribution(i)));
    for (int i = 5; i < 8; ++i) EXPECT_TRUE(log.append(contribution(i)));
    log.sync();
  }
  const AuditReport report = read_audit(path, head);
  EXPECT_EQ(report.findings, Lines{});
  EXPECT_EQ(report.records.size(), 8U);
}

TEST(AuditLog, CutsOffATornLine) {
  const TemporaryFolder folder;
  const std::string whole = read_text_file(write_log(folder));
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = last + 1; size < whole.size(); size += 31) {
    const std::string path = folder.file("torn.jsonl", whole.substr(0, size));
    EXPECT_EQ(read_audit(path).torn_bytes, size - last);
    AuditLog log(path);
    EXPECT_EQ(log.records(), 4);
    EXPECT_TRUE(log.append(contribution(4)));
    const AuditReport report = read_audit(path);
    EXPECT_EQ(report.findings, Lines{});
    EXPECT_EQ(report.records.size(), 5U);
  }
}

TEST(AuditLog, IsNotContinuedWhereItWasChanged) {
  const TemporaryFolder folder;
  const std::string path = write_log(folder);
  const auto head = read_audit(path).newest->hash;
  Lines lines = lines_of(path);
  lines.erase(lines.begin());
  folder.file("audit.jsonl", lines[0] + "\n");
  EXPECT_THROW(AuditLog log(path), DamageError);
  EXPECT_THROW(AuditLog(folder / "gone.jsonl", head), DamageError);
}

TEST(AuditLog, IsOnTheDiskAfterSync) {
  const TemporaryFolder folder;
  disk::reset();
  std::filesystem::create_directory(folder / "a");
  AuditLog log(folder / "a/audit.jsonl");
  (void)log.append(contribution(0));
  log.sync();
  disk::survive_power_failure(folder / "a", folder / "left");
  EXPECT_EQ(read_audit(folder / "left/audit.jsonl").records.size(), 1U);
}

TEST(AuditLog, TakesAnyBytesAsText) {
  const TemporaryFolder folder;
  AuditLog log(folder / "a.jsonl");
  AuditEvent event = contribution(0);
  event.text = "\xff\"\n,\"hash\":\"";
  (void)log.append(event);
  (void)log.append(contribution(1));
  EXPECT_EQ(read_audit(folder / "a.jsonl").findings, Lines{});
  EXPECT_EQ(lines_of(folder / "a.jsonl").size(), 2U);
}

}  // namespace
}  // namespace convoy::tests
