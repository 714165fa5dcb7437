// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace convoy::launch {

/// Adds `--set section.key=value`, which may be given several times.
inline void add_set_option(CLI::App& app, std::vector<std::string>& sets) {
  app.add_option("--set", sets, "Override a key of the job: section.key=value (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

/// Adds `--json`.
inline void add_json_option(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "Print one JSON document and nothing else");
}

}  // namespace convoy::launch
