// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/folder_lock.h"

#include "base/errors.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal {

using internal::DurableFile;

FolderLock::FolderLock(const std::filesystem::path& folder) {
  internal::make_private_folder(folder);
  const auto path = folder / "lock";
  file_ = std::make_unique<DurableFile>(
      std::filesystem::exists(path) ? DurableFile::open(path, true) : DurableFile::create(path));
  require_config(file_->try_lock(), folder.string() + " is in use by another process");
}

FolderLock::~FolderLock() = default;

}  // namespace convoy::scheduler::journal
