// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/same_job.h"
#include "launch/job/job_file.h"
#include "launch/process/backend.h"
#include "trainer/trainer.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

std::string to_text(const trainer::Evaluation& result, bool json) {
  if (!json) {
    return fmt::format("accuracy {:.4f}, loss {:.4f} on {} samples\n", result.accuracy, result.loss,
                       result.samples);
  }
  nlohmann::json document{{"loss", result.loss}, {"samples", result.samples}};
  document["accuracy"] = std::isfinite(result.accuracy) ? nlohmann::json(result.accuracy) : nullptr;
  return document.dump() + "\n";
}

class EvaluateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "evaluate"; }
  [[nodiscard]] std::string summary() const override {
    return "Loss and accuracy of trained weights";
  }

  void add_options(CLI::App& app) override {
    app.add_option("RUN_DIR", model_, "Run directory, or its model.pt")->required();
    app.add_option("--job", job_file_, "Job file; default: job.toml of the run directory");
    add_set_option(app, sets_);
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    const trainer::Job job = load();
    (void)choose_backend(job.communication, true, ranks);
    require_weights();
    return {.threads_per_rank = job.run.threads_per_rank};
  }

  [[nodiscard]] int run(Process& process) override {
    const trainer::Job job = load();
    require_weights();
    run_ranks(process, job, [&](comm::Communicator& communicator) {
      require_same_job(communicator, job);
      const auto result = trainer::evaluate(communicator, job, weights());
      if (communicator.rank() != 0) return;
      std::fputs(to_text(result, json_).c_str(), stdout);
      std::fflush(stdout);
    });
    return kSuccess;
  }

 private:
  [[nodiscard]] fs::path run_dir() const {
    return fs::is_directory(model_) ? fs::path(model_) : fs::path(model_).parent_path();
  }

  [[nodiscard]] fs::path weights() const {
    return fs::is_directory(model_) ? fs::path(model_) / "model.pt" : fs::path(model_);
  }

  void require_weights() const {
    require_config(fs::is_regular_file(weights()),
                   "no weights: " + weights().string() + " does not exist");
  }

  [[nodiscard]] trainer::Job load() const {
    std::vector<std::string> sets{
        "run.device=auto"};  // of the run, which may need what is not here
    sets.insert(sets.end(), sets_.begin(), sets_.end());
    trainer::Job job = load_job(job_file(), sets);
    if (job.communication.backend == "nccl") job.communication.backend = "auto";
    job.run.device = "cpu";
    return job;
  }

  [[nodiscard]] fs::path job_file() const {
    if (!job_file_.empty()) return job_file_;
    const fs::path beside = run_dir() / "job.toml";
    require_config(fs::is_regular_file(beside),
                   "no job: " + beside.string() + " does not exist; name one with --job");
    return beside;
  }

  std::string model_;
  std::string job_file_;
  std::vector<std::string> sets_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_evaluate_command() { return std::make_unique<EvaluateCommand>(); }

}  // namespace convoy::launch
