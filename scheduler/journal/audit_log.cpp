// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/audit_log.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal {
namespace {

using Json = nlohmann::ordered_json;
using internal::DurableFile;

namespace fs = std::filesystem;

/// What stands between a record and its hash.
constexpr std::string_view kBeforeHash = ",\"hash\":\"";

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", utc);
}

template <typename T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

Json to_json(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  Json json{{"n", record.number}, {"at", record.at}, {"t", event.time}, {"event", event.event}};
  put(json, "site", event.site);
  put(json, "update", event.update);
  if (event.sha256) json["sha256"] = to_hex(*event.sha256);
  put(json, "version", event.version);
  put(json, "samples", event.samples);
  put(json, "steps", event.steps);
  put(json, "weight", event.weight);
  put(json, "epsilon", event.epsilon);
  put(json, "text", event.text);
  json["input"] = event.input;
  json["part"] = event.part;
  json["previous"] = to_hex(record.previous);
  return json;
}

template <typename T>
std::optional<T> optional_at(const Json& json, const char* key) {
  return json.contains(key) ? std::optional(json.at(key).get<T>()) : std::nullopt;
}

/// Nothing unless `line` is one that AuditLog has written and nobody has touched since. Also where
/// the hash fits but the text is not what we would write: two texts for one record are one too
/// many.
std::optional<AuditRecord> parse(std::string_view line) {
  const auto end = line.rfind(kBeforeHash);
  if (end == std::string_view::npos) return std::nullopt;
  const auto body = line.substr(0, end);
  if (line.substr(end) != fmt::format("{}{}\"}}", kBeforeHash, to_hex(sha256(body)))) {
    return std::nullopt;
  }
  try {
    const Json json = Json::parse(line);
    AuditRecord record{.number = json.at("n"), .at = json.at("at")};
    AuditEvent& event = record.event;
    event.time = json.at("t");
    event.event = json.at("event");
    event.site = json.value("site", "");
    event.update = json.value("update", "");
    if (json.contains("sha256")) {
      event.sha256 = sha256_from_hex(json.at("sha256").get<std::string>());
    }
    event.version = optional_at<std::int64_t>(json, "version");
    event.samples = optional_at<std::int64_t>(json, "samples");
    event.steps = optional_at<std::int64_t>(json, "steps");
    event.weight = optional_at<double>(json, "weight");
    event.epsilon = optional_at<double>(json, "epsilon");
    event.text = json.value("text", "");
    event.input = json.at("input");
    event.part = json.at("part");
    const auto previous = sha256_from_hex(json.at("previous").get<std::string>());
    if (!previous) return std::nullopt;
    record.previous = *previous;
    record.hash = sha256(body);
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string numbers(std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("record {} is", first)
                       : fmt::format("records {} to {} are", first, last);
}

class Verifier {
 public:
  explicit Verifier(AuditCheck& check) : check_(check) {}

  /// @return the record, unless the line is none.
  std::optional<AuditRecord> take(std::string_view text) {
    ++line_;
    auto record = parse(text);
    if (!record) {
      finding(fmt::format("line {}: record {} was changed", line_, expected_));
      before_.reset();  // its hash is not known
      ++expected_;
      return std::nullopt;
    }
    // What follows one out of its place is compared with what should stand before it.
    if (is_in_place(*record)) before_ = record->hash;
    return record;
  }

 private:
  bool is_in_place(const AuditRecord& record) {
    if (record.number < expected_) {
      finding(fmt::format("line {}: record {} stands where record {} should", line_, record.number,
                          expected_));
      return false;
    }
    if (record.number > expected_) {
      finding(fmt::format("line {}: {} missing before record {}", line_,
                          numbers(expected_, record.number - 1), record.number));
    } else if (before_ ? *before_ != record.previous
                       : record.number == 0 && record.previous != Sha256{}) {
      finding(record.number == 0
                  ? fmt::format("line {}: record 0 follows one that is not in the file", line_)
                  : fmt::format("line {}: record {} was replaced: record {} remembers another one",
                                line_ - 1, record.number - 1, record.number));
    }
    expected_ = record.number + 1;
    return true;
  }

  void finding(std::string text) { check_.findings.push_back(std::move(text)); }

  AuditCheck& check_;
  std::int64_t line_ = 0;
  std::int64_t expected_ = 0;
  std::optional<Sha256> before_;  // hash of the line before, if it is whole
};

std::string cut_off(const Sha256& head, const std::optional<AuditRecord>& newest) {
  const std::string end =
      newest ? fmt::format("it ends with record {}", newest->number) : "it is empty";
  return fmt::format(
      "the record with the remembered hash {} is not in the file ({}): records were cut off at the "
      "end, or replaced",
      to_hex(head), end);
}

}  // namespace

AuditCheck check_audit(const fs::path& file, const std::optional<Sha256>& head,
                       const std::function<void(const AuditRecord&)>& each) {
  std::ifstream lines(file, std::ios::binary);
  require_config(lines.is_open(), fmt::format("cannot open {}", file.string()));
  AuditCheck check;
  Verifier verifier(check);
  bool has_head = !head;
  std::string line;
  while (std::getline(lines, line)) {
    if (lines.eof()) {
      check.torn_bytes = line.size();
      break;
    }
    check.whole_bytes += line.size() + 1;
    auto record = verifier.take(line);
    if (!record) continue;
    if (each) each(*record);
    has_head = has_head || record->hash == *head;
    check.newest = std::move(record);
  }
  require_config(!lines.bad(), fmt::format("cannot read {}", file.string()));
  if (!has_head) check.findings.push_back(cut_off(*head, check.newest));
  return check;
}

AuditLog::AuditLog(fs::path file, const std::optional<Sha256>& head) {
  if (!fs::exists(file)) {
    if (head) throw DamageError(file.string() + " is missing, and a checkpoint remembers its head");
    file_ = std::make_unique<DurableFile>(DurableFile::create(file));
    internal::sync_names(file.has_parent_path() ? file.parent_path() : ".");
    return;
  }
  const AuditCheck check = check_audit(file, head);
  if (!check.findings.empty()) throw DamageError(file.string() + ", " + check.findings.front());
  file_ = std::make_unique<DurableFile>(DurableFile::open(file, true));
  if (check.torn_bytes > 0) {
    logger("scheduler")
        ->warn("{}: the last line has no end; removed its {} bytes", file.string(),
               check.torn_bytes);
    file_->cut(check.whole_bytes);
  }
  if (!check.newest) return;
  next_ = check.newest->number + 1;
  head_ = check.newest->hash;
  newest_ = {check.newest->event.input, check.newest->event.part};
}

AuditLog::~AuditLog() = default;

bool AuditLog::append(const AuditEvent& event) {
  const std::pair position(event.input, event.part);
  if (newest_ && position <= *newest_) return false;
  const AuditRecord record{
      .number = next_, .at = utc_now(), .event = event, .previous = head_.value_or(Sha256{})};
  // Bytes that are no text must not stop the server.
  std::string line = to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
  line.pop_back();  // the brace
  const Sha256 hash = sha256(line);
  line += fmt::format("{}{}\"}}\n", kBeforeHash, to_hex(hash));
  const std::uint64_t before = file_->size();
  try {
    file_->write(std::as_bytes(std::span(line)));
  } catch (const StorageError&) {
    file_->cut(before);
    throw;
  }
  newest_ = position;
  head_ = hash;
  ++next_;
  return true;
}

void AuditLog::sync() { file_->sync(); }

}  // namespace convoy::scheduler::journal
