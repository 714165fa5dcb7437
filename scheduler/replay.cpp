// SPDX-License-Identifier: Apache-2.0
#include "scheduler/replay.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "scheduler/event_log.h"
#include "scheduler/internal/policy_file.h"

namespace convoy::scheduler {
namespace {

using Json = nlohmann::json;
using Kind = Input::Kind;

std::optional<Kind> input_kind(std::string_view name) {
  for (const Kind kind :
       {Kind::kJoin, Kind::kArrive, Kind::kTimer, Kind::kEvict, Kind::kLeave, Kind::kShutdown}) {
    if (to_text(kind) == name) return kind;
  }
  return std::nullopt;
}

bool is_decision(std::string_view name) {
  constexpr std::array<std::string_view, 8> kDecisions{"dispatch", "assign", "resend", "aggregate",
                                                       "late",     "evict",  "refuse", "flush"};
  return std::find(kDecisions.begin(), kDecisions.end(), name) != kDecisions.end();
}

Input read_input(Kind kind, const Json& json) {
  Input input{.kind = kind, .time = json.at("t").get<double>()};
  if (kind != Kind::kTimer && kind != Kind::kShutdown) {
    input.update.client = json.at("client").get<ClientId>();
  }
  if (kind == Kind::kJoin) {
    input.samples = json.at("samples").get<std::int64_t>();
    require_config(input.samples > 0, "samples must be positive");
  }
  if (kind == Kind::kArrive) {
    input.update.local_steps = json.at("local_steps").get<std::int64_t>();
    input.update.round = json.at("round").get<std::int64_t>();
    input.update.finite = json.value("finite", true);
    input.update.measures_speed = json.value("measures_speed", true);
  }
  return input;
}

/// How `logged` differs from `decided`, if it does.
std::optional<std::string> difference(const Json& logged, const Json& decided) {
  for (const auto& [key, value] : decided.items()) {
    const auto found = logged.find(key);
    if (found != logged.end() && *found == value) continue;
    return fmt::format("{} is {} in the log and {} in the replay", key,
                       found == logged.end() ? "missing" : found->dump(), value.dump());
  }
  return std::nullopt;
}

class Replayer {
 public:
  Replayer(const std::optional<PolicyConfig>& config, std::string source)
      : source_(std::move(source)) {
    if (config) start(*config);
  }

  /// @return false where the replay is at an end.
  bool take(const std::string& text) {
    ++line_;
    if (text.empty()) return true;
    try {
      return take_line(Json::parse(text));
    } catch (const Json::exception& error) {
      const std::string_view what = error.what();
      throw ConfigError(
          fmt::format("{}, line {}: {}", source_, line_, what.substr(what.find("] ") + 2)));
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("{}, line {}: {}", source_, line_, error.what()));
    }
  }

  Replay end() {
    if (!result_.difference) expect_none_left("the log ends");
    return std::move(result_);
  }

 private:
  void start(const PolicyConfig& config) {
    policy_ = make_policy(config);
    log_ = std::make_unique<EventLog>(*policy_, [this](std::string_view line) {
      if (skip_ > 0) {
        --skip_;
      } else {
        decided_.emplace_back(line);
      }
    });
  }

  bool take_line(const Json& json) {
    require_config(json.is_object() && json.contains("kind"), "no event: it has no \"kind\"");
    const std::string kind = json.at("kind").get<std::string>();
    if (kind == "policy" && policy_ == nullptr) {
      start(internal::read_policy(json.at("policy"), "policy"));
    }
    const auto input = input_kind(kind);
    if (input && json.contains("seq")) return take_input(*input, json);
    return !is_decision(kind) || compare(json);
  }

  bool take_input(Kind kind, const Json& json) {
    require_config(policy_ != nullptr, "no policy is known: give its scenario too");
    if (!expect_none_left("the next input comes")) return false;
    const auto sequence = json.at("seq").get<std::int64_t>();
    require_config(sequence == result_.inputs,
                   fmt::format("input {} stands where {} should", sequence, result_.inputs));
    skip_ = 1;  // the line of the input itself
    log_->handle(read_input(kind, json));
    ++result_.inputs;
    return true;
  }

  bool compare(const Json& logged) {
    if (decided_.empty()) {
      result_.difference =
          fmt::format("{}, line {}: the replay does not decide {}", source_, line_, logged.dump());
      return false;
    }
    const std::string decided = std::exchange(decided_.front(), {});
    decided_.pop_front();
    if (const auto what = difference(logged, Json::parse(decided))) {
      result_.difference = fmt::format("{}, line {}: {}: {}", source_, line_, *what, decided);
      return false;
    }
    ++result_.decisions;
    return true;
  }

  bool expect_none_left(std::string_view event) {
    if (decided_.empty()) return true;
    result_.difference = fmt::format("{}, line {}: {} where the replay decides {}", source_, line_,
                                     event, decided_.front());
    return false;
  }

  std::string source_;
  std::int64_t line_ = 0;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<EventLog> log_;
  int skip_ = 0;
  std::deque<std::string> decided_;  // of the newest input, not yet compared
  Replay result_;
};

}  // namespace

Replay replay(std::istream& log, const std::optional<PolicyConfig>& config,
              const std::string& source) {
  Replayer replayer(config, source);
  std::string line;
  while (std::getline(log, line) && replayer.take(line)) {
  }
  require_config(!log.bad(), "cannot read " + source);
  return replayer.end();
}

}  // namespace convoy::scheduler
