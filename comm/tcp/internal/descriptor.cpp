// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/descriptor.h"

#include <dirent.h>
#include <sys/resource.h>

#include <memory>

namespace convoy::comm::tcp {
namespace {

// For files that others open meanwhile.
constexpr rlim_t kSpare = 64;

rlim_t count_open() {
  const std::unique_ptr<DIR, decltype(&::closedir)> folder(::opendir("/proc/self/fd"), &::closedir);
  rlim_t count = 0;
  while (folder != nullptr && ::readdir(folder.get()) != nullptr) ++count;
  return count;
}

}  // namespace

void allow_descriptors(std::size_t more) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur >= count_open() + more + kSpare) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace convoy::comm::tcp
