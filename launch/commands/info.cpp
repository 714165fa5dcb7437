// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/process/backend.h"
#include "launch/process/hardware.h"
#include "launch/process/machine_report.h"

namespace convoy::launch {
namespace {

class InfoCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "info"; }
  [[nodiscard]] std::string summary() const override {
    return "What this build has and how fast this machine computes";
  }

  void add_options(CLI::App& app) override { add_json_option(app, json_); }

  [[nodiscard]] Preparation prepare(int) override { return {}; }

  [[nodiscard]] int run(Process& process) override {
    const trainer::Job defaults;
    run_ranks(process, defaults, [&](comm::Communicator& communicator) {
      const MachineReport report = make_machine_report(communicator);
      if (communicator.rank() != 0) return;
      std::fputs((json_ ? to_json(report) : to_text(report)).c_str(), stdout);
      std::fflush(stdout);
      const std::string warning = gemm_warning(report);
      if (!warning.empty()) process.say_error("WARNING: " + warning);
    });
    return kSuccess;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info_command() { return std::make_unique<InfoCommand>(); }

}  // namespace convoy::launch
