// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace convoy::launch {

/// From now on blocks of 4 MiB and more go back to the system when they are freed. glibc would keep
/// some of up to 32 MiB between smaller ones, and a server that takes in tensors for weeks would
/// grow to several times what it holds. Where the allocator is another one, nothing happens.
void return_large_blocks();

}  // namespace convoy::launch
