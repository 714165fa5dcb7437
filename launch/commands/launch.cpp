// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

#include "base/errors.h"
#include "base/log.h"
#include "launch/commands/command.h"
#include "launch/process/mpirun.h"
#include "launch/process/ready_file.h"
#include "launch/process/supervisor.h"

extern char** environ;

namespace convoy::launch {
namespace {

/// What ranks on other hosts need of our environment: ours, and what decides how BLAS computes.
std::vector<std::string> names_to_forward() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    for (const std::string_view prefix : {"CONVOY_", "OMP_", "OPENBLAS_", "MKL_"}) {
      if (text.starts_with(prefix)) names.emplace_back(text.substr(0, text.find('=')));
    }
  }
  return names;
}

void set_environment(const Preparation& preparation, const ReadyFile& ready) {
  const std::string threads = std::to_string(preparation.threads_per_rank);
  ::setenv("OMP_NUM_THREADS", threads.c_str(), 1);
  ::setenv("OPENBLAS_NUM_THREADS", threads.c_str(), 1);
  ::setenv(kReadyVariable, ready.path().c_str(), 1);
}

void note_oversubscription(std::int64_t busy) {
  const std::int64_t cores = std::thread::hardware_concurrency();
  if (busy <= cores) return;
  logger("launch")->info("{} threads of all ranks share {} cores", busy, cores);
}

class LaunchCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "launch"; }
  [[nodiscard]] std::string summary() const override {
    return "Start a subcommand on several ranks with mpirun";
  }

  void add_options(CLI::App& app) override {
    app.footer("Example: convoy launch -n 4 --hosts a,b:2 -- train job.toml --set train.epochs=2");
    app.add_option("-n", ranks_, "Number of ranks")->required()->check(CLI::Range(1, 65'536));
    app.add_option("--hosts", hosts_, "Hosts with their slots: a,b or a:2,b:4; default: this one");
    app.add_option("--grace", grace_s_,
                   "Seconds that ranks have for a last checkpoint after Ctrl-C")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  }

  void set_words_after_dashes(std::vector<std::string> words) override {
    require_config(!words.empty(), "convoy launch -n N -- SUBCOMMAND ...: no subcommand after --");
    require_config(words.front() != name(), "convoy launch cannot launch itself");
    words_ = std::move(words);
  }

  [[nodiscard]] Preparation prepare(int) override { return {}; }

  [[nodiscard]] int run(Process& process) override {
    std::string help;
    const auto command = parse_command_line(words_, help);
    if (command == nullptr) {
      std::fputs(help.c_str(), stdout);
      return kSuccess;
    }
    require_config(process.place().ranks == 1, "convoy launch runs under mpirun already");
    const Preparation preparation = command->prepare(ranks_);
    const Mpirun mpirun = find_mpirun();
    const ReadyFile ready;
    set_environment(preparation, ready);
    if (hosts_.empty()) note_oversubscription(ranks_ * preparation.threads_per_rank);
    return supervise(mpirun_arguments(mpirun, request()),
                     {.grace = std::chrono::milliseconds(static_cast<std::int64_t>(grace_s_ * 1e3)),
                      .ready_file = ready.path(),
                      .can_checkpoint = preparation.checkpoints_on_stop});
  }

 private:
  [[nodiscard]] MpirunRequest request() const {
    MpirunRequest result{.ranks = ranks_, .hosts = hosts_, .environment = names_to_forward()};
    result.program.push_back(std::filesystem::read_symlink("/proc/self/exe").string());
    result.program.insert(result.program.end(), words_.begin(), words_.end());
    return result;
  }

  int ranks_ = 0;
  std::string hosts_;
  double grace_s_ = 60.0;
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_launch_command() { return std::make_unique<LaunchCommand>(); }

}  // namespace convoy::launch
