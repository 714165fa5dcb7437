// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "base/hash.h"
#include "compress/plan/table_file.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"

namespace convoy::launch {
namespace {

using compress::Choice;
using compress::Level;
using compress::TableFile;
using Json = nlohmann::ordered_json;

/// What is printed: the plan and, where the budget names a level, the uniform plan at that level.
struct Answer {
  Choice plan;
  std::optional<Choice> uniform;
};

Answer solve(const TableFile& file) {
  Answer answer{compress::lgreco(file.table, compress::max_error(file), file.budget.metric), {}};
  if (!file.max_error) {
    answer.uniform = compress::uniform(file.table, file.budget.reference, file.budget.metric);
  }
  return answer;
}

/// 4 and not 4.0.
Json number(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value != std::floor(value) || std::abs(value) > kExact) return value;
  return static_cast<std::int64_t>(value);
}

Level chosen_level(const TableFile& file, const Choice& plan, std::size_t layer) {
  return file.table[layer].levels[plan.levels[layer]].level;
}

double ratio(const Answer& answer) { return answer.uniform->bytes / answer.plan.bytes; }

std::string to_json(const TableFile& file, const Answer& answer) {
  const Choice& plan = answer.plan;
  Json levels = Json::array();
  for (std::size_t i = 0; i < file.table.size(); ++i) {
    const Level level = chosen_level(file, plan, i);
    levels.push_back({{"name", file.table[i].name},
                      {"level", level.is_dense() ? Json("dense") : number(level.value())}});
  }
  Json document{{"plan", std::move(levels)},
                {"bytes", number(plan.bytes)},
                {"error", plan.error},
                {"max_error", plan.max_error},
                {"lower_bound_bytes", plan.lower_bound_bytes},
                {"optimal", plan.is_optimal()},
                {"gap", plan.gap()},
                {"hash", to_hex(compress::hash(file.table, plan))}};
  if (answer.uniform) {
    document["uniform_bytes"] = number(answer.uniform->bytes);
    if (plan.bytes > 0.0) document["ratio"] = ratio(answer);
  }
  return document.dump() + "\n";
}

/// One line for each layer, columns as wide as they must be.
std::string layer_lines(const TableFile& file, const Choice& plan) {
  std::size_t width = 5;
  for (const auto& layer : file.table) width = std::max(width, layer.name.size());
  std::string text =
      fmt::format("{:<{}}  {:>8}  {:>14}  {:>12}\n", "layer", width, "level", "bytes", "error");
  for (std::size_t i = 0; i < file.table.size(); ++i) {
    const auto& cost = file.table[i].levels[plan.levels[i]];
    text += fmt::format("{:<{}}  {:>8}  {:>14}  {:>12.6g}\n", file.table[i].name, width,
                        to_text(cost.level), cost.bytes, cost.error);
  }
  return text;
}

std::string quality(const Choice& plan) {
  if (plan.is_optimal()) return "optimal: no plan within the budget has fewer bytes";
  return fmt::format("at most {:.3g} % above the optimum", 100.0 * plan.gap());
}

std::string to_text(const TableFile& file, const Answer& answer) {
  const Choice& plan = answer.plan;
  std::string text = layer_lines(file, plan);
  text += fmt::format("\n{} layers, {} bytes, error {:.6g} of {:.6g} allowed\n", file.table.size(),
                      plan.bytes, plan.error, plan.max_error);
  text += quality(plan) + "\n";
  text += fmt::format("convex-hull bound: {:.1f} bytes\n", plan.lower_bound_bytes);
  if (answer.uniform) {
    text += fmt::format("uniform at level {}: {} bytes, {:.3f} times the plan's\n",
                        to_text(file.budget.reference), answer.uniform->bytes, ratio(answer));
  }
  return text;
}

class PlanCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "plan"; }
  [[nodiscard]] std::string summary() const override {
    return "The cheapest level of compression for each layer of a table";
  }

  void add_options(CLI::App& app) override {
    app.add_option("TABLE.json", table_, "Level table with its budget; - reads standard input")
        ->required();
    app.add_option("--alpha", alpha_,
                   "Budget as a multiple of the reference level's error, instead of the table's")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--metric", metric_, "How errors add up, instead of the table's")
        ->check(CLI::IsMember({"squared_l2", "l2"}));
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy plan runs in one process: call it without convoy launch");
    if (table_ != "-") (void)solve(load());
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    const TableFile file = load();
    const Answer answer = solve(file);
    if (!process.speaks()) return kSuccess;
    std::fputs((json_ ? to_json(file, answer) : to_text(file, answer)).c_str(), stdout);
    std::fflush(stdout);
    return kSuccess;
  }

 private:
  [[nodiscard]] TableFile load() const {
    TableFile file = table_ == "-" ? compress::parse_table(standard_input(), "standard input")
                                   : compress::read_table(table_);
    if (!metric_.empty()) file.budget.metric = compress::metric_named(metric_).value();
    if (alpha_) {
      require_config(!file.max_error, "--alpha needs a budget with reference_level, and that of " +
                                          table_ + " is max_error");
      require_config(std::isfinite(*alpha_), "--alpha must be finite");
      file.budget.alpha = *alpha_;
    }
    return file;
  }

  static std::string standard_input() {
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  }

  std::string table_;
  std::optional<double> alpha_;
  std::string metric_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace convoy::launch
