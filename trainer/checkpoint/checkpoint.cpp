// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/checkpoint.h"

#include <utility>

#include "trainer/checkpoint/internal/folders.h"

namespace convoy::trainer {

CheckpointStore::CheckpointStore(comm::Communicator& communicator, std::filesystem::path folder,
                                 CheckpointConfig config, std::string identity)
    : communicator_(communicator),
      folder_(std::move(folder)),
      config_(config),
      identity_(std::move(identity)) {}

std::vector<CheckpointInfo> list_checkpoints(const std::filesystem::path& folder) {
  std::vector<CheckpointInfo> result;
  for (const auto& [step, path] : internal::step_folders(folder)) {
    const auto manifest = internal::whole_manifest(path);
    if (!manifest) continue;
    result.push_back({.path = path,
                      .step = manifest->step,
                      .ranks = manifest->ranks,
                      .identity = manifest->identity});
  }
  return result;
}

}  // namespace convoy::trainer
