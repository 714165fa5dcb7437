// SPDX-License-Identifier: Apache-2.0
#include "launch/process/ready_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace convoy::launch {

ReadyFile::ReadyFile() {
  std::string name = (std::filesystem::temp_directory_path() / "convoy-launch.XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) throw std::runtime_error("cannot create " + name + ": " + std::strerror(errno));
  ::close(file);
  path_ = name;
}

ReadyFile::~ReadyFile() { ::unlink(path_.c_str()); }

void announce_ready() {
  const char* path = std::getenv(kReadyVariable);
  if (path != nullptr) ::unlink(path);
}

}  // namespace convoy::launch
