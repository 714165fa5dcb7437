// SPDX-License-Identifier: Apache-2.0
#include "launch/process/allocator.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace convoy::launch {

void return_large_blocks() {
#ifdef __GLIBC__
  constexpr int kLarge = 4 << 20;  // chunks of streams, of 1 MiB, stay cheap
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
#endif
}

}  // namespace convoy::launch
