// SPDX-License-Identifier: Apache-2.0
#include "base/storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

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

void sync_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (is_synced) return;
  throw std::runtime_error("cannot fsync " + file.string() + ": " + std::strerror(error));
}

}  // namespace convoy
