// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/internal/connection.h"

namespace convoy::comm::nccl {

/// Hands one collective to NCCL, on the connection's stream. @throws internal::TransportError.
using Launch = std::function<void(const Connection&)>;

// The buffers' memory is read and written when the stream comes to it; the owners are not kept.

[[nodiscard]] Launch launch_all_reduce(const Buffer& values, ReduceOp op);
[[nodiscard]] Launch launch_reduce_scatter(const ConstBuffer& values, const Buffer& piece,
                                           ReduceOp op);
/// One all-gather where all counts are equal, else a group of broadcasts.
[[nodiscard]] Launch launch_all_gather_v(const ConstBuffer& piece, const Buffer& values,
                                         std::vector<std::int64_t> counts);
/// A group of sends and receives; the own piece is copied.
[[nodiscard]] Launch launch_all_to_all_v(const ConstBuffer& from,
                                         std::vector<std::int64_t> to_counts, const Buffer& to,
                                         std::vector<std::int64_t> from_counts);
[[nodiscard]] Launch launch_broadcast(const Buffer& values, int root);

/// @throws ContractError for an element type that NCCL does not have.
[[nodiscard]] ncclDataType_t nccl_type(DType dtype);

}  // namespace convoy::comm::nccl
