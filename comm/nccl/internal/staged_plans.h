// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/internal/staged.h"

namespace convoy::comm::nccl {

// What is copied for a call on device memory, and what is called on the host in its place. The
// plans own the pinned memory; the caller's owners are not kept.
// @throws internal::TransportError where there is no pinned memory.

[[nodiscard]] StagedPlan plan_all_reduce(const Copies& copies, const Buffer& values, ReduceOp op,
                                         Turn turn);
[[nodiscard]] StagedPlan plan_reduce_scatter(const Copies& copies, const ConstBuffer& values,
                                             const Buffer& piece, ReduceOp op, int rank, Turn turn);
[[nodiscard]] StagedPlan plan_all_gather_v(const Copies& copies, const ConstBuffer& piece,
                                           const Buffer& values, std::vector<std::int64_t> counts,
                                           int rank, Turn turn);
[[nodiscard]] StagedPlan plan_all_to_all_v(const Copies& copies, const ConstBuffer& from,
                                           std::vector<std::int64_t> to_counts, const Buffer& to,
                                           std::vector<std::int64_t> from_counts, Turn turn);
[[nodiscard]] StagedPlan plan_broadcast(const Copies& copies, const Buffer& values, int root,
                                        int rank, Turn turn);
[[nodiscard]] StagedPlan plan_send(const Copies& copies, const ConstBuffer& values, int peer,
                                   int tag);
[[nodiscard]] StagedPlan plan_recv(const Copies& copies, const Buffer& values, int peer, int tag);

// The same where the host takes addresses of device memory: nothing is copied to the host. Only of
// pieces that travel as messages of their own: short ones are copied by the CPU on their way.

[[nodiscard]] StagedPlan plan_direct_all_gather_v(const ConstBuffer& piece, const Buffer& values,
                                                  std::vector<std::int64_t> counts, int rank,
                                                  Turn turn);
[[nodiscard]] StagedPlan plan_direct_broadcast(const Buffer& values, int root, Turn turn);
[[nodiscard]] StagedPlan plan_direct_send(const ConstBuffer& values, int peer, int tag);
[[nodiscard]] StagedPlan plan_direct_recv(const Buffer& values, int peer, int tag);

// Messages of host memory, which may have to wait for others.

[[nodiscard]] StagedPlan plan_host_send(const ConstBuffer& values, int peer, int tag);
[[nodiscard]] StagedPlan plan_host_recv(const Buffer& values, int peer, int tag);

}  // namespace convoy::comm::nccl
