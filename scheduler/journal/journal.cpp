// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/journal.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/json_object.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal {
namespace {

using Json = nlohmann::json;

std::int64_t unix_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Json parse_saved(const std::string& saved) { return parse_json(saved, "the journal's state"); }

Sequence position_in(const Json& json) { return json.at("log").at("next").get<Sequence>(); }

}  // namespace

RunId run_id_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    internal::make_private_folder(file.parent_path());
    const RunId run = new_run_id();
    const std::string text = to_hex(run) + "\n";
    const auto part = std::as_bytes(std::span(text));
    internal::replace_file(file, std::span(&part, 1));
    return run;
  }
  const auto bytes = internal::read_all(file);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  RunId run{};
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < 2 * run.size() && i < text.size(); ++i) {
    const auto digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) break;
    run[i / 2] |= static_cast<std::byte>(i % 2 == 0 ? digit << 4U : digit);
  }
  if (to_hex(run) + "\n" != text) throw DamageError(file.string() + " holds no run id");
  return run;
}

Journal::Journal(std::filesystem::path folder, const RunId& run, const std::string& saved,
                 const Visitor& visitor, JournalOptions options)
    : run_(run),
      options_(std::move(options)),
      clock_(options_.clock),
      log_(
          std::move(folder), run, load(saved),
          [&](const LogRecord& record) {
            const Entry entry = decode(record.type, record.payload);
            take(record.sequence, entry);
            visitor(record.sequence, entry);
          },
          options_.without_old_log ? WriteAheadLog::Lost::kBeginAnew
                                   : WriteAheadLog::Lost::kRefuse) {}

Sequence Journal::load(const std::string& saved) {
  if (saved.empty()) return 0;
  const Json json = parse_saved(saved);
  try {
    const auto run = json.at("log").at("run").get<std::string>();
    require_config(
        options_.without_old_log || run == to_hex(run_),
        fmt::format("the checkpoint is of run {}, and the log of {}", run, to_hex(run_)));
    const Json& clock = json.at("clock");
    clock_.restore({.was_used = clock.at("used"),
                    .newest = clock.at("newest"),
                    .outages = clock.at("outages").get<std::vector<double>>()});
    for (const auto& [site, ids] : json.at("updates").items()) {
      for (const Json& item : ids) remember(site, item.at(0), item.at(1).get<Sequence>());
    }
    return position_in(json);
  } catch (const Json::exception& error) {
    throw ConfigError(fmt::format("the journal's state in the checkpoint: {}", error.what()));
  }
}

void Journal::take(Sequence sequence, const Entry& entry) {
  const auto* clock = std::get_if<ClockEntry>(&entry);
  if (clock != nullptr && clock->kind == ClockEntry::Kind::kStart && sequence > 0) {
    clock_.add_outage(clock->time);
  } else {
    clock_.observe(time_of(entry));
  }
  if (const auto* update = std::get_if<UpdateEntry>(&entry)) {
    remember(update->site, update->id, sequence);
  }
}

void Journal::remember(const std::string& site, const std::string& id, Sequence sequence) {
  SiteUpdates& updates = updates_[site];
  if (!updates.by_id.emplace(id, sequence).second) return;
  updates.order.push_back(id);
  if (updates.order.size() <= options_.ids_per_site) return;
  updates.by_id.erase(updates.order.front());
  updates.order.pop_front();
}

void Journal::start() {
  const double stopped = clock_.state().newest;
  (void)clock_.start();
  sync(record(ClockEntry{ClockEntry::Kind::kStart, stopped, unix_nanoseconds()}));
}

void Journal::stop() {
  sync(record(ClockEntry{ClockEntry::Kind::kStop, clock_.now(), unix_nanoseconds()}));
}

Sequence Journal::record(const Entry& entry) {
  require(clock_.is_running(), "Journal: start() it first");
  const auto* update = std::get_if<UpdateEntry>(&entry);
  if (update != nullptr) {
    require(!find(update->site, update->id), "Journal: the update is in the log already");
  }
  const EncodedEntry encoded = encode(entry);
  const Sequence sequence = log_.append(encoded.type, encoded.payload);
  if (update != nullptr) remember(update->site, update->id, sequence);
  return sequence;
}

std::optional<Sequence> Journal::find(std::string_view site, std::string_view id) const {
  const auto updates = updates_.find(site);
  if (updates == updates_.end()) return std::nullopt;
  const auto found = updates->second.by_id.find(std::string(id));
  if (found == updates->second.by_id.end()) return std::nullopt;
  return found->second;
}

std::string Journal::save() {
  const RunClock::State clock = clock_.state();
  Json updates = Json::object();
  for (const auto& [site, known] : updates_) {
    Json ids = Json::array();
    for (const auto& id : known.order) ids.push_back({id, known.by_id.at(id)});
    updates[site] = std::move(ids);
  }
  const Json json{
      {"log", {{"run", to_hex(run_)}, {"next", log_.begin_segment()}}},
      {"clock", {{"used", clock.was_used}, {"newest", clock.newest}, {"outages", clock.outages}}},
      {"updates", std::move(updates)}};
  return json.dump();
}

void Journal::checkpoint_is_durable(const std::string& saved) {
  log_.remove_before(position_in(parse_saved(saved)));
}

}  // namespace convoy::scheduler::journal
