// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "scheduler/journal/audit_log.h"
#include "scheduler/net/subject.h"

namespace convoy::launch {
namespace {

using scheduler::journal::AuditCheck;
using scheduler::journal::AuditEvent;
using scheduler::journal::AuditRecord;
using scheduler::journal::check_audit;
using Json = nlohmann::ordered_json;

constexpr std::size_t kTextWidth = 200;

template <typename T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

Json to_json(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  Json json{{"n", record.number}, {"at", record.at}, {"t", event.time}, {"event", event.event}};
  if (!event.site.empty()) json["site"] = event.site;
  if (!event.update.empty()) json["update"] = event.update;
  if (event.sha256) json["sha256"] = to_hex(*event.sha256);
  put(json, "version", event.version);
  put(json, "samples", event.samples);
  put(json, "steps", event.steps);
  put(json, "weight", event.weight);
  put(json, "epsilon", event.epsilon);
  if (!event.text.empty()) json["text"] = event.text;
  return json;
}

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

/// One JSON document, whose records come first: each is printed when it is read. @return whether
/// the chain is whole.
bool print_json(const std::string& file, const std::optional<Sha256>& head) {
  const char* before = "{\"records\":[";
  const auto print_record = [&before](const AuditRecord& record) {
    print(std::exchange(before, ",") + to_json(record).dump());
  };
  const AuditCheck check = check_audit(file, head, print_record);
  const Json verdict{{"whole", check.findings.empty()},
                     {"findings", check.findings},
                     {"torn_bytes", check.torn_bytes},
                     {"head", check.newest ? Json(to_hex(check.newest->hash)) : Json()}};
  const std::string none = check.newest ? "" : before;
  print(none + "]," + verdict.dump().substr(1) + "\n");
  return check.findings.empty();
}

template <typename T>
std::string cell(const std::optional<T>& value) {
  return value ? fmt::format("{:.6g}", static_cast<double>(*value)) : "";
}

/// A file that somebody has changed may hold what harms a terminal.
AuditEvent shown(AuditEvent event) {
  for (std::string* text : {&event.event, &event.site, &event.update}) {
    *text = net::printable(*text);
  }
  return event;
}

/// Of the columns whose texts differ in length.
struct Widths {
  std::size_t event = 5;
  std::size_t site = 4;
  std::size_t update = 6;

  void take(const AuditRecord& record) {
    const AuditEvent it = shown(record.event);
    event = std::max(event, it.event.size());
    site = std::max(site, it.site.size());
    update = std::max(update, it.update.size());
  }
};

std::string header(const Widths& widths) {
  return fmt::format("{:>6}  {:<20}  {:<{}}  {:<{}}  {:<{}}  {:>7}  {:>7}  {:>9}  {:>8}\n", "n",
                     "at", "event", widths.event, "site", widths.site, "update", widths.update,
                     "version", "steps", "weight", "epsilon");
}

std::string row(const AuditRecord& record, const Widths& widths) {
  const AuditEvent it = shown(record.event);
  return fmt::format("{:>6}  {:<20}  {:<{}}  {:<{}}  {:<{}}  {:>7}  {:>7}  {:>9}  {:>8}{}\n",
                     record.number, net::printable(record.at), it.event, widths.event, it.site,
                     widths.site, it.update, widths.update, cell(it.version), cell(it.steps),
                     cell(it.weight), cell(it.epsilon),
                     it.text.empty() ? "" : "  " + net::printable(it.text, kTextWidth));
}

std::string verdict_of(const AuditCheck& check, std::int64_t records, bool knew_head) {
  std::string text;
  for (const std::string& finding : check.findings) {
    text += net::printable(finding, kTextWidth) + "\n";
  }
  if (check.torn_bytes > 0) {
    text += fmt::format("{} bytes at the end are no whole record: a crash leaves them\n",
                        check.torn_bytes);
  }
  if (!check.findings.empty()) return text;
  text += fmt::format("{} records, the chain is whole", records);
  if (check.newest) text += fmt::format("; its head is {}", to_hex(check.newest->hash));
  text += "\n";
  if (!knew_head) {
    text += "whether records are missing at the end only a remembered head can tell: --head\n";
  }
  return text;
}

/// Reads the file once for the columns' widths, and once more to print it: the verdict is about
/// what was printed, also where a server has written more in between. @return whether the chain is
/// whole.
bool print_table(const std::string& file, const std::optional<Sha256>& head) {
  Widths widths;
  (void)check_audit(file, {}, [&](const AuditRecord& record) { widths.take(record); });
  print(header(widths));
  std::int64_t records = 0;
  const AuditCheck check = check_audit(file, head, [&](const AuditRecord& record) {
    print(row(record, widths));
    ++records;
  });
  print("\n" + verdict_of(check, records, head.has_value()));
  return check.findings.empty();
}

class AuditCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "audit"; }
  [[nodiscard]] std::string summary() const override {
    return "Checks the audit log of a federation: who contributed what, and nothing changed since";
  }

  void add_options(CLI::App& app) override {
    app.add_option("FILE", file_, "audit.jsonl of a server")->required();
    app.add_option("--head", head_,
                   "Hash that was remembered elsewhere: its record must still be there");
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy audit runs in one process: call it without convoy launch");
    (void)head();
    return {};
  }

  [[nodiscard]] int run(Process& /*process*/) override {
    const bool is_whole = json_ ? print_json(file_, head()) : print_table(file_, head());
    std::fflush(stdout);
    return is_whole ? kSuccess : kFailedRun;
  }

 private:
  [[nodiscard]] std::optional<Sha256> head() const {
    if (head_.empty()) return std::nullopt;
    const auto head = sha256_from_hex(head_);
    require_config(head.has_value(), "--head takes 64 hexadecimal digits (0-9, a-f)");
    return head;
  }

  std::string file_;
  std::string head_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_audit_command() { return std::make_unique<AuditCommand>(); }

}  // namespace convoy::launch
