// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::trainer {

/// [checkpoint] of the job file.
struct CheckpointConfig {
  std::int64_t every_steps = 0;  ///< 0: only when the run ends or is interrupted
  std::int64_t keep = 2;         ///< newest whole checkpoints that stay on disk
};

}  // namespace convoy::trainer
