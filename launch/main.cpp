// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "launch/commands/command.h"
#include "launch/process/process.h"
#include "launch/process/signals.h"

namespace convoy::launch {
namespace {

int run_program(Process& process, std::vector<std::string> words) {
  std::string help;
  const auto command = parse_command_line(std::move(words), help);
  if (command != nullptr) return command->run(process);
  if (process.speaks()) std::fputs(help.c_str(), stdout);
  return kSuccess;
}

}  // namespace
}  // namespace convoy::launch

int main(int argc, char** argv) {
  using namespace convoy::launch;
  signals::install(rank_environment().rank);
  Process process;
  try {
    return run_program(process, {argv + 1, argv + argc});
  } catch (...) {
    return process.fail(std::current_exception());
  }
}
