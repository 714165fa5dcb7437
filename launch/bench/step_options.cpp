// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/step_options.h"

#include <CLI/CLI.hpp>
#include <sstream>
#include <string_view>

#include "base/errors.h"
#include "launch/commands/job_options.h"
#include "launch/job/job_file.h"

namespace convoy::launch {
namespace {

/// What is trained where nobody says otherwise.
constexpr const char* kJob = R"([model]
name = "resnet18"
[train]
steps = 1
batch_size = 16
optimizer = {name = "sgd", lr = 0.001, momentum = 0.9}
)";

/// "real", or "sleep:345ms".
std::optional<std::chrono::duration<double>> parse_compute(const std::string& text) {
  if (text == "real") return std::nullopt;
  constexpr std::string_view kSleep = "sleep:";
  std::istringstream words(text.starts_with(kSleep) ? text.substr(kSleep.size()) : "");
  double milliseconds = 0.0;
  std::string unit;
  words >> milliseconds >> unit;
  require_config(milliseconds > 0.0 && milliseconds <= 60'000.0 && unit == "ms",
                 "--compute " + text + ": must be real, or like sleep:345ms, at most a minute");
  return std::chrono::duration<double, std::milli>(milliseconds);
}

}  // namespace

void StepOptions::add_to(CLI::App& app) {
  app.add_option("--model", model_, "A network of [model]; default: resnet18");
  app.add_option("--batch", batch_, "Samples of one rank; default: 16");
  app.add_option("--compression", family_, "A family of [compression]; default: none");
  app.add_option("--steps", bench_.steps,
                 "Steps of each kind; planned levels take two cycles of "
                 "compression.adapt_every at least")
      ->check(CLI::Range(8, 1'000'000))
      ->capture_default_str();
  app.add_option("--compute", compute_,
                 "real, or sleep:345ms: so long a rank sleeps in place of forward and backward")
      ->capture_default_str();
  add_set_option(app, sets_);
}

const StepBench& StepOptions::settle(const std::string& benchmark) {
  std::vector<std::string> sets;
  if (!model_.empty()) sets.push_back("model.name=" + model_);
  if (batch_ != 0) sets.push_back("train.batch_size=" + std::to_string(batch_));
  if (!family_.empty()) sets.push_back("compression.family=" + family_);
  sets.insert(sets.end(), sets_.begin(), sets_.end());
  bench_.job = parse_job(kJob, benchmark, sets);
  require_config(bench_.job.communication.backend != "nccl",
                 "bench " + benchmark +
                     " measures CPUs: communication.backend = \"nccl\" is for "
                     "convoy train");
  require_config(bench_.job.run.device == "auto" || bench_.job.run.device == "cpu",
                 "bench " + benchmark + " measures CPUs: run.device is for convoy train");
  bench_.sleep = parse_compute(compute_);
  const auto& train = bench_.job.train;
  require_config(bench_.job.model.torchscript.empty() && train.accumulate == 1 &&
                     train.balance == "equal" && !train.sync_batchnorm,
                 benchmark +
                     " measures networks of [model] with one batch a step: leave "
                     "model.torchscript, train.accumulate, train.balance and train.sync_batchnorm");
  return bench_;
}

}  // namespace convoy::launch
