// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "scheduler/replay.h"
#include "scheduler/simulator.h"

namespace convoy::launch {
namespace {

constexpr const char* kStandard = "-";

/// Where events go: a file that it makes and closes, or standard output.
class EventFile {
 public:
  /// @throws ConfigError that names the path if it cannot be made.
  explicit EventFile(const std::string& path)
      : name_(path == kStandard ? "standard output" : path) {
    if (path == kStandard) {
      file_ = stdout;
      return;
    }
    owned_.reset(std::fopen(path.c_str(), "w"));
    require_config(owned_ != nullptr, fmt::format("cannot write {}: {}", path, reason()));
    file_ = owned_.get();
  }

  void write(std::string_view line) {
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() ||
        std::fputc('\n', file_) == EOF) {
      fail();
    }
  }
  /// @throws std::runtime_error if not all of it could be written, e.g. because the disk is full.
  void finish() {
    if (std::fflush(file_) != 0) fail();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static std::string reason() { return std::strerror(errno); }
  [[noreturn]] void fail() const {
    throw std::runtime_error(fmt::format("cannot write {}: {}", name_, reason()));
  }

  std::string name_;
  std::FILE* file_ = nullptr;
  std::unique_ptr<std::FILE, Close> owned_;
};

class SimulateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "simulate"; }
  [[nodiscard]] std::string summary() const override {
    return "A federation in virtual time: who trains how long, and what becomes of it";
  }

  void add_options(CLI::App& app) override {
    app.add_option(
        "SCENARIO.json", scenario_,
        "Policy, clients and horizon; - reads standard input. --replay needs it only for "
        "logs that do not hold their policy");
    auto* events = app.add_option("--events", events_,
                                  "File for the events, one JSON object a line; - (the default) is "
                                  "standard output. With a file the summary is printed");
    app.add_option("--replay", replay_,
                   "Feed the inputs of this event log instead of simulated clients, compare every "
                   "decision, and exit with 1 at the first that differs")
        ->excludes(events);
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1,
                   "convoy simulate runs in one process: call it without convoy launch");
    require_config(!scenario_.empty() || !replay_.empty(),
                   "convoy simulate needs SCENARIO.json or --replay (see convoy simulate --help)");
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    (void)prepare(1);
    if (!process.speaks()) return kSuccess;
    return replay_.empty() ? simulate() : replay();
  }

 private:
  [[nodiscard]] scheduler::Scenario load() const {
    if (scenario_ != kStandard) return scheduler::read_scenario(scenario_);
    const std::string text{std::istreambuf_iterator<char>(std::cin),
                           std::istreambuf_iterator<char>()};
    return scheduler::parse_scenario(text, "standard input");
  }

  int simulate() const {
    const scheduler::Scenario scenario = load();
    EventFile events(events_);
    const auto write = [&](std::string_view line) { events.write(line); };
    const auto summary = scheduler::simulate(
        scenario, write, [&](const scheduler::Summary& sum) { write(to_json(sum)); });
    events.finish();
    if (events_ != kStandard) print(json_ ? to_json(summary) + "\n" : to_text(summary));
    return kSuccess;
  }

  int replay() const {
    std::optional<scheduler::PolicyConfig> config;
    if (!scenario_.empty()) config = load().policy;
    std::ifstream log(replay_);
    require_config(log.is_open(), fmt::format("cannot open {}: {}", replay_, std::strerror(errno)));
    const scheduler::Replay result = scheduler::replay(log, config, replay_);
    if (json_) {
      nlohmann::ordered_json json{
          {"same", !result.difference}, {"inputs", result.inputs}, {"decisions", result.decisions}};
      if (result.difference) json["difference"] = *result.difference;
      print(json.dump() + "\n");
    } else if (result.difference) {
      print(*result.difference + "\n");
    } else {
      print(fmt::format("{} inputs, {} decisions: the same\n", result.inputs, result.decisions));
    }
    return result.difference ? kFailedRun : kSuccess;
  }

  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string scenario_;
  std::string events_ = kStandard;
  std::string replay_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_simulate_command() { return std::make_unique<SimulateCommand>(); }

}  // namespace convoy::launch
