// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace convoy {

std::shared_ptr<spdlog::logger> logger(const std::string& folder) {
  if (auto existing = spdlog::get(folder)) return existing;
  try {
    return spdlog::stderr_color_mt(folder);
  } catch (const spdlog::spdlog_ex&) {
    return spdlog::get(folder);  // another thread made it between the two calls
  }
}

void set_log_rank(int rank, int ranks) {
  const std::string who =
      ranks > 1 ? " rank " + std::to_string(rank) + "/" + std::to_string(ranks) : std::string();
  spdlog::set_pattern("[%H:%M:%S.%e]" + who + " %n: %^%l%$: %v");
}

}  // namespace convoy
