// SPDX-License-Identifier: Apache-2.0
#include "scheduler/event_log.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <variant>

#include "base/errors.h"
#include "scheduler/policy_file.h"

namespace convoy::scheduler {
namespace {

/// Writes one flat JSON object. fmt prints doubles with as few digits as bring them back.
class Line {
 public:
  Line(std::string_view kind, double time) {
    fmt::format_to(out(), R"({{"kind":"{}","t":{})", kind, time);
  }
  Line& number(std::string_view key, std::int64_t value) {
    fmt::format_to(out(), R"(,"{}":{})", key, value);
    return *this;
  }
  /// JSON has no infinity: a time beyond all numbers is null, never.
  Line& number(std::string_view key, double value) {
    if (!std::isfinite(value)) return null(key);
    fmt::format_to(out(), R"(,"{}":{})", key, value);
    return *this;
  }
  template <typename T>
  Line& number(std::string_view key, const std::optional<T>& value) {
    return value ? number(key, *value) : null(key);
  }
  Line& text(std::string_view key, std::string_view value) {
    fmt::format_to(out(), R"(,"{}":{})", key, nlohmann::json(value).dump());
    return *this;
  }
  Line& boolean(std::string_view key, bool value) {
    fmt::format_to(out(), R"(,"{}":{})", key, value);
    return *this;
  }
  template <typename Range, typename Value>
  Line& list(std::string_view key, const Range& items, Value value) {
    fmt::format_to(out(), R"(,"{}":[)", key);
    bool first = true;
    for (const auto& item : items) {
      fmt::format_to(out(), "{}{}", first ? "" : ",", value(item));
      first = false;
    }
    text_ += ']';
    return *this;
  }
  std::string end() {
    text_ += '}';
    return std::move(text_);
  }

 private:
  Line& null(std::string_view key) {
    fmt::format_to(out(), R"(,"{}":null)", key);
    return *this;
  }
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }

  std::string text_;
};

struct ActionLine {
  double time;

  std::string operator()(const Aggregate& action) const {
    std::size_t late = 0;
    while (late < action.members.size() && action.members[late].late) ++late;
    const std::span members(action.members);
    const auto client = [](const Contribution& update) { return update.client; };
    return Line("aggregate", time)
        .text("trigger", to_text(action.trigger))
        .number("group", action.group)
        .list("clients", members.subspan(late), client)
        .list("late_clients", members.first(late), client)
        .number("version", action.version)
        .list("staleness", members, [](const Contribution& update) { return update.staleness; })
        .end();
  }

  std::string operator()(const Assign& action) const {
    const char* kind = action.kind == Assign::Kind::kFirst    ? "dispatch"
                       : action.kind == Assign::Kind::kResend ? "resend"
                                                              : "assign";
    Line line(kind, time);
    line.number("client", action.client);
    if (action.kind != Assign::Kind::kFirst) line.number("group", action.group);
    line.number("local_steps", action.local_steps);
    if (action.kind == Assign::Kind::kNext) {
      line.number("expected_arrival", action.expected_arrival)
          .number("latest_arrival", action.latest_arrival)
          .number("predicted_arrival", action.predicted_arrival);
    }
    return line.number("round", action.round).number("version", action.version).end();
  }

  std::string operator()(const Late& action) const {
    return Line("late", time).number("client", action.client).end();
  }
  std::string operator()(const Evict& action) const {
    return Line("evict", time).number("client", action.client).end();
  }
  std::string operator()(const Refuse& action) const {
    return Line("refuse", time).number("client", action.client).text("reason", action.reason).end();
  }
  std::string operator()(const Flush& action) const {
    const auto same = [](ClientId client) { return client; };
    return Line("flush", time)
        .list("waiting", action.waiting, same)
        .list("late", action.late, same)
        .number("version", action.version)
        .end();
  }
};

}  // namespace

std::string_view to_text(Input::Kind kind) {
  switch (kind) {
    case Input::Kind::kJoin:
      return "join";
    case Input::Kind::kArrive:
      return "arrive";
    case Input::Kind::kTimer:
      return "timer";
    case Input::Kind::kEvict:
      return "evict";
    case Input::Kind::kLeave:
      return "leave";
    case Input::Kind::kShutdown:
      return "shutdown";
  }
  throw ContractError("unknown input");
}

Actions apply(Policy& policy, const Input& input) {
  switch (input.kind) {
    case Input::Kind::kJoin:
      return policy.join(input.time, input.update.client, input.samples);
    case Input::Kind::kArrive:
      return policy.update(input.time, input.update);
    case Input::Kind::kTimer:
      return policy.on_time(input.time);
    case Input::Kind::kEvict:
      return policy.evict(input.time, input.update.client);
    case Input::Kind::kLeave:
      return policy.leave(input.time, input.update.client);
    case Input::Kind::kShutdown:
      return policy.shutdown(input.time);
  }
  throw ContractError("unknown input");
}

std::string to_line(const Input& input, std::int64_t sequence) {
  using Kind = Input::Kind;
  Line line(to_text(input.kind), input.time);
  if (input.kind != Kind::kTimer && input.kind != Kind::kShutdown) {
    line.number("client", input.update.client);
  }
  if (input.kind == Kind::kJoin) line.number("samples", input.samples);
  if (input.kind == Kind::kArrive) {
    line.number("local_steps", input.update.local_steps)
        .number("duration", input.duration)
        .number("round", input.update.round);
    if (!input.update.finite) line.boolean("finite", false);
    if (!input.update.measures_speed) line.boolean("measures_speed", false);
  }
  return line.number("seq", sequence).end();
}

std::string to_line(double time, const Action& action) {
  return std::visit(ActionLine{time}, action);
}

std::string to_line(const PolicyConfig& config) {
  return fmt::format(R"({{"kind":"policy","policy":{}}})", to_json(config));
}

Actions EventLog::handle(Input input) {
  Actions actions = apply(policy_, input);
  const std::int64_t sequence = sequence_++;
  if (!sink_) return actions;
  input.time = policy_.now();
  sink_(to_line(input, sequence));
  for (const Action& action : actions) {
    // The line of the input says it already.
    if (input.kind == Input::Kind::kEvict && std::holds_alternative<Evict>(action)) continue;
    sink_(to_line(input.time, action));
  }
  return actions;
}

}  // namespace convoy::scheduler
