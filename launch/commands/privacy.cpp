// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "trainer/privacy/accountant.h"
#include "trainer/privacy/ledger.h"

namespace convoy::launch {
namespace {

using Json = nlohmann::ordered_json;
using trainer::privacy::Account;
using trainer::privacy::Accountant;
using trainer::privacy::Budget;
using trainer::privacy::Mechanism;
using trainer::privacy::Spent;

/// What is asked: of q, sigma, steps and epsilon all but one are given.
struct Question {
  double q = 1.0;
  std::optional<double> sigma;
  std::optional<std::int64_t> steps;
  std::optional<double> epsilon;
  double delta = 1e-5;
};

struct Answer {
  double sigma = 0.0;
  std::int64_t steps = 0;
  Spent spent;  ///< with these steps
};

/// More noise than this is as good as none to go without.
std::string no_sigma(const Question& question, const Accountant& before) {
  const double least = before.steps() > 0 ? before.spent(question.delta).epsilon
                                          : trainer::privacy::smallest_epsilon(question.delta);
  return fmt::format("no sigma keeps epsilon at {}: at delta {} it is more than {:.6f} anyway",
                     *question.epsilon, question.delta, least);
}

Answer solve(const Question& question, const Accountant& before) {
  Answer answer{.sigma = question.sigma.value_or(0.0), .steps = question.steps.value_or(0)};
  if (question.epsilon) {
    const Budget budget{.epsilon = *question.epsilon, .delta = question.delta};
    if (!question.sigma) {
      const auto sigma = sigma_for(before, budget, question.q, answer.steps);
      require_config(sigma.has_value(), no_sigma(question, before));
      answer.sigma = *sigma;
    } else {
      answer.steps = steps_allowed(before, budget, {question.q, answer.sigma});
    }
  }
  answer.spent = before.spent_with({question.q, answer.sigma}, answer.steps, question.delta);
  return answer;
}

/// null where a double is infinite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const Question& question, const Answer& answer) {
  Json json{{"q", question.q},
            {"sigma", answer.sigma},
            {"steps", answer.steps},
            {"delta", question.delta},
            {"epsilon", number(answer.spent.epsilon)},
            {"order", answer.spent.order}};
  if (question.epsilon) json["budget"] = *question.epsilon;
  return json;
}

std::string to_text(const Question& question, const Answer& answer) {
  return fmt::format(
      "epsilon  {:.6f}  (order {})\ndelta    {}\nq        {}\nsigma    {:.6f}\nsteps    {}\n",
      answer.spent.epsilon, answer.spent.order, question.delta, question.q, answer.sigma,
      answer.steps);
}

Json to_json(const Account& account, const Spent& spent) {
  Json releases = Json::array();
  for (const auto& [mechanism, steps] : account.spent.releases()) {
    releases.push_back({{"q", mechanism.q}, {"sigma", mechanism.sigma}, {"steps", steps}});
  }
  return {{"site", account.owner.site},
          {"data", account.owner.data},
          {"epsilon", number(spent.epsilon)},
          {"order", spent.order},
          {"delta", account.budget.delta},
          {"budget", account.budget.epsilon},
          {"steps", account.spent.steps()},
          {"records", account.records},
          {"insecure_steps", account.insecure_steps},
          {"releases", std::move(releases)}};
}

std::string to_text(const Account& account, const Spent& spent) {
  std::string text = fmt::format(
      "site     {}\ndata     {}\nepsilon  {:.6f} of {}  (order {})\ndelta    {}\n"
      "steps    {} in {} records\n",
      account.owner.site, account.owner.data, spent.epsilon, account.budget.epsilon, spent.order,
      account.budget.delta, account.spent.steps(), account.records);
  for (const auto& [mechanism, steps] : account.spent.releases()) {
    text += fmt::format("  {:>10} steps at q {}, sigma {}\n", steps, mechanism.q, mechanism.sigma);
  }
  if (account.insecure_steps > 0) {
    text +=
        fmt::format("INSECURE: the noise of {} steps came from a seed\n", account.insecure_steps);
  }
  return text;
}

class PrivacyCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "privacy"; }
  [[nodiscard]] std::string summary() const override {
    return "What differentially private steps cost, and what a ledger has spent";
  }

  void add_options(CLI::App& app) override {
    const auto above_zero = CLI::Range(std::numeric_limits<double>::min(), kLargest);
    app.add_option("--q", question_.q, "A record's chance to be in a step; default: 1")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--sigma", question_.sigma, "Noise as a multiple of the clip")
        ->check(above_zero);
    app.add_option("--steps", question_.steps, "Steps, of all rounds together")
        ->check(CLI::Range(std::int64_t{0}, trainer::privacy::kMostSteps));
    delta_ = app.add_option("--delta", question_.delta, "Default: 1e-5, or the ledger's")
                 ->check(CLI::Range(std::numeric_limits<double>::min(), 1.0));
    app.add_option("--epsilon", question_.epsilon,
                   "Budget: find the steps that it allows, or with --steps the sigma")
        ->check(CLI::Range(0.0, kLargest));
    app.add_option("--ledger", ledger_,
                   "A site's ledger: what it has spent; or with the other options, on top of that");
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy privacy runs in one process: call it without convoy launch");
    check();
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    check();
    const std::string text = answer();
    if (process.speaks()) std::fputs(text.c_str(), stdout);
    return kSuccess;
  }

 private:
  static constexpr double kLargest = 1e12;

  [[nodiscard]] bool only_reads() const {
    return !ledger_.empty() && !question_.sigma && !question_.steps && !question_.epsilon;
  }

  void check() const {
    require_config(question_.delta < 1.0, "--delta must be below 1");
    // CLI11's ranges let it through.
    const bool has_nan = std::isnan(question_.q) || std::isnan(question_.delta) ||
                         std::isnan(question_.sigma.value_or(0.0)) ||
                         std::isnan(question_.epsilon.value_or(0.0));
    require_config(!has_nan, "convoy privacy takes numbers, not nan");
    if (only_reads()) return;
    const int given =
        (question_.sigma ? 1 : 0) + (question_.steps ? 1 : 0) + (question_.epsilon ? 1 : 0);
    require_config(given == 2,
                   "convoy privacy needs two of --sigma, --steps and --epsilon (the third is the "
                   "answer), or --ledger alone");
    require_config(!question_.steps || question_.sigma || *question_.steps > 0,
                   "--steps must be at least 1 where --sigma is asked for");
  }

  [[nodiscard]] std::string answer() {
    Accountant before;
    if (!ledger_.empty()) {
      const Account account = trainer::privacy::read_account(ledger_);
      if (delta_->count() == 0) question_.delta = account.budget.delta;
      if (only_reads()) {
        const Spent spent = account.spent.spent(question_.delta);
        return json_ ? to_json(account, spent).dump() + "\n" : to_text(account, spent);
      }
      before = account.spent;
    }
    const Answer found = solve(question_, before);
    return json_ ? to_json(question_, found).dump() + "\n" : to_text(question_, found);
  }

  Question question_;
  std::string ledger_;
  CLI::Option* delta_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_privacy_command() { return std::make_unique<PrivacyCommand>(); }

}  // namespace convoy::launch
