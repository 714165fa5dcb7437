// SPDX-License-Identifier: Apache-2.0
#include "base/private_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/errors.h"

namespace convoy {

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return;
  make_private_folder(folder.parent_path());
  if (::mkdir(folder.c_str(), S_IRWXU) == 0) return;
  const int error = errno;
  // Another process may have been faster; a file may stand there too.
  if (error == EEXIST && std::filesystem::is_directory(folder, ignored)) return;
  throw ConfigError("cannot make the folder " + folder.string() + ": " + std::strerror(error));
}

}  // namespace convoy
