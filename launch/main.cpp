// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <stdexcept>

#include "launch/commands/command.h"
#include "launch/process/process.h"
#include "launch/process/signals.h"

namespace convoy::launch {
namespace {

/// A result that a full disk has swallowed must not pass for success.
void require_printed() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::runtime_error("cannot write all of standard output");
  }
}

int run_program(Process& process, std::vector<std::string> words) {
  std::string help;
  int code = kSuccess;
  if (const auto command = parse_command_line(std::move(words), help)) {
    code = command->run(process);
  } else if (process.speaks()) {
    std::fputs(help.c_str(), stdout);
  }
  require_printed();
  return code;
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
