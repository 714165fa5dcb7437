// SPDX-License-Identifier: Apache-2.0
// Built when CMake configures: can this clang link libFuzzer and the sanitizers?
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }
