// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace convoy {

/// The logger of one folder ("comm", "trainer", ...), made at first use; writes to standard error.
/// Callers keep the pointer; any thread.
[[nodiscard]] std::shared_ptr<spdlog::logger> logger(const std::string& folder);

/// Says which rank this process is in every line that follows ("rank 2/4"); none when it is alone.
void set_log_rank(int rank, int ranks);

}  // namespace convoy
