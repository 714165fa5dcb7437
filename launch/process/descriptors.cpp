// SPDX-License-Identifier: Apache-2.0
#include "launch/process/descriptors.h"

#include <sys/resource.h>

namespace convoy::launch {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before.rlim_cur;
}

}  // namespace convoy::launch
