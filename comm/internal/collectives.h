// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/exchange.h"

namespace convoy::comm::internal {

/// The collectives, each written once over streams; arguments are checked already. Bytes sent per
/// rank, N ranks, B bytes of payload:

/// Up to kOneRoundBytes and three ranks: everyone sends all to everyone, (N-1) B in one round.
/// Larger: every rank owns a segment, receives everybody's piece of it, adds them in rank order and
/// sends the result round: 2 (N-1)/N B, both halves pipelined by chunks.
[[nodiscard]] std::unique_ptr<Exchange> make_all_reduce(const Layout& layout, Buffer values,
                                                        ReduceOp op);
/// The same sum, of a short buffer that is not empty: (N-1) B too, in ceil(log2 N) messages.
[[nodiscard]] std::unique_ptr<Exchange> make_doubling_all_reduce(const Layout& layout,
                                                                 const Buffer& values, ReduceOp op);
/// The same sum through `layout.shared`, for a buffer that is not empty. What each rank lets others
/// read: (N-1) B up to kOneRoundBytes, 2 (N-1)/N B above.
[[nodiscard]] std::unique_ptr<Exchange> make_shared_all_reduce(const Layout& layout,
                                                               const Buffer& values, ReduceOp op);
/// The first half of that: (N-1)/N B.
[[nodiscard]] std::unique_ptr<Exchange> make_reduce_scatter(const Layout& layout,
                                                            ConstBuffer values, Buffer piece,
                                                            ReduceOp op);
/// Direct: (N-1) times the own piece.
[[nodiscard]] std::unique_ptr<Exchange> make_all_gather_v(const Layout& layout, ConstBuffer piece,
                                                          Buffer values,
                                                          const std::vector<std::int64_t>& counts);
/// Direct: all pieces but the own.
[[nodiscard]] std::unique_ptr<Exchange> make_all_to_all_v(
    const Layout& layout, ConstBuffer from, const std::vector<std::int64_t>& to_counts, Buffer to,
    const std::vector<std::int64_t>& from_counts);
/// One chunk: a binomial tree, at most log2(N) B. Several: a chain in which each rank passes every
/// chunk on as it arrives, B.
[[nodiscard]] std::unique_ptr<Exchange> make_broadcast(const Layout& layout, Buffer values,
                                                       int root);
/// Dissemination: ceil(log2 N) rounds of empty messages.
[[nodiscard]] std::unique_ptr<Exchange> make_barrier(const Layout& layout);
[[nodiscard]] std::unique_ptr<Exchange> make_send(const Layout& layout, ConstBuffer values,
                                                  int peer, int tag);
[[nodiscard]] std::unique_ptr<Exchange> make_recv(const Layout& layout, Buffer values, int peer,
                                                  int tag);

inline constexpr std::size_t kOneRoundBytes = std::size_t{8} << 10;
/// So many ranks pass short sums on instead of sending them to everyone.
inline constexpr int kDoublingRanks = 4;

}  // namespace convoy::comm::internal
