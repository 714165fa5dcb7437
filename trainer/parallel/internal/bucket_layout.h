// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convoy::trainer::internal {

/// Cuts parameters, taken in `order`, into buckets: one is full as soon as its float32 gradients
/// reach `bucket_bytes`. The first one is full at an eighth of that, so that the wire has something
/// to do early, and the last ones are smaller and smaller, because nothing is left that hides them;
/// but none of both is full below 128 KiB. Those that are compressed and those that are not share
/// none. Pure.
/// @param order   indices into `numels`, in the order in which gradients are expected.
/// @param compressed  by index, as `numels`.
/// @return the indices of each bucket, the buckets in the order in which they fill.
[[nodiscard]] std::vector<std::vector<std::size_t>> cut_buckets(
    std::span<const std::size_t> order, std::span<const std::int64_t> numels,
    const std::vector<bool>& compressed, std::size_t bucket_bytes);

/// `observed`, then those of 0..count-1 that it lacks, the last one first: backward tends to reach
/// parameters in reverse.
[[nodiscard]] std::vector<std::size_t> complete_order(std::span<const std::size_t> observed,
                                                      std::size_t count);

}  // namespace convoy::trainer::internal
