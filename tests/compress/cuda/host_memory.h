// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace convoy::compress::cuda {

/// Memory that passes for a device's: filled with garbage, with guard bytes before and behind it.
/// When it is freed with other guards than it was given, the program says so and aborts. Null for
/// no bytes.
[[nodiscard]] std::shared_ptr<std::byte> allocate_guarded(std::size_t bytes);

/// How much of it has an owner now. Any thread.
[[nodiscard]] std::int64_t live_guarded_allocations();

}  // namespace convoy::compress::cuda
