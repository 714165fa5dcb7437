// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/operator_options.h"

#include <CLI/CLI.hpp>

#include "launch/process/startup_check.h"

namespace convoy::launch {

void OperatorCommandOptions::add(CLI::App& app) {
  dialing.add(app);
  dialing.member.add_name(app, "the operator");
  app.add_option("--timeout", patience_seconds, "Seconds to wait for each answer")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

net::OperatorOptions OperatorCommandOptions::client() const {
  const auto patience = std::chrono::duration<double>(patience_seconds);
  return {.dialer = dialing.dialer(),
          .name = dialing.member.own_name(),
          .software = "convoy " + convoy_version(),
          .patience = std::chrono::duration_cast<std::chrono::milliseconds>(patience)};
}

}  // namespace convoy::launch
