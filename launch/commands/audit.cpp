// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "scheduler/journal/audit_log.h"
#include "scheduler/net/subject.h"

namespace convoy::launch {
namespace {

using scheduler::journal::AuditEvent;
using scheduler::journal::AuditRecord;
using scheduler::journal::AuditReport;
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

std::string json_of(const AuditReport& report) {
  Json records = Json::array();
  for (const AuditRecord& record : report.records) records.push_back(to_json(record));
  const Json document{{"whole", report.findings.empty()},
                      {"findings", report.findings},
                      {"torn_bytes", report.torn_bytes},
                      {"head", report.newest ? Json(to_hex(report.newest->hash)) : Json()},
                      {"records", std::move(records)}};
  return document.dump() + "\n";
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

std::string table(const AuditReport& report) {
  std::size_t site = 4;
  std::size_t event = 5;
  std::size_t update = 6;
  for (const AuditRecord& record : report.records) {
    const AuditEvent it = shown(record.event);
    site = std::max(site, it.site.size());
    event = std::max(event, it.event.size());
    update = std::max(update, it.update.size());
  }
  std::string text = fmt::format(
      "{:>6}  {:<20}  {:<{}}  {:<{}}  {:<{}}  {:>7}  {:>7}  {:>9}  {:>8}\n", "n", "at", "event",
      event, "site", site, "update", update, "version", "steps", "weight", "epsilon");
  for (const AuditRecord& record : report.records) {
    const AuditEvent it = shown(record.event);
    text += fmt::format("{:>6}  {:<20}  {:<{}}  {:<{}}  {:<{}}  {:>7}  {:>7}  {:>9}  {:>8}{}\n",
                        record.number, net::printable(record.at), it.event, event, it.site, site,
                        it.update, update, cell(it.version), cell(it.steps), cell(it.weight),
                        cell(it.epsilon),
                        it.text.empty() ? "" : "  " + net::printable(it.text, kTextWidth));
  }
  return text;
}

std::string text_of(const AuditReport& report, bool knew_head) {
  std::string text = table(report) + "\n";
  for (const std::string& finding : report.findings) {
    text += net::printable(finding, kTextWidth) + "\n";
  }
  if (report.torn_bytes > 0) {
    text += fmt::format("{} bytes at the end are no whole record: a crash leaves them\n",
                        report.torn_bytes);
  }
  if (!report.findings.empty()) return text;
  text += fmt::format("{} records, the chain is whole", report.records.size());
  if (report.newest) text += fmt::format("; its head is {}", to_hex(report.newest->hash));
  text += "\n";
  if (!knew_head) {
    text += "whether records are missing at the end only a remembered head can tell: --head\n";
  }
  return text;
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

  [[nodiscard]] int run(Process& process) override {
    const AuditReport report = scheduler::journal::read_audit(file_, head());
    if (process.speaks()) {
      std::fputs((json_ ? json_of(report) : text_of(report, !head_.empty())).c_str(), stdout);
      std::fflush(stdout);
    }
    return report.findings.empty() ? kSuccess : kFailedRun;
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
