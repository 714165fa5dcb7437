// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/buffer.h"
#include "comm/request.h"

namespace convoy::comm {

enum class ReduceOp : std::uint8_t {
  kSum,
  kMin,
  kMax,
  kMean,  ///< the sum times 1 / ranks; of floating-point elements
};

struct CommunicatorOptions {
  /// How long a wait may last before it becomes a CommError. Larger: slower peers are tolerated,
  /// and a dead one is noticed later.
  std::chrono::milliseconds timeout{300'000};
  /// Bytes that travel as one message of a collective. Larger: fewer messages; smaller: receiving
  /// and adding overlap better. Never changes a result.
  std::size_t chunk_bytes = std::size_t{256} << 10;
  /// Ranks of one host sum through memory that they share, where the backend can. Never changes a
  /// result. Some 1 MiB for each rank and communicator.
  bool shared_memory = true;
};

/// When a collective goes, beside others of its communicator that are under way. Changes no result.
struct Turn {
  /// Those of the lowest go first, also through the middle of longer ones. Ranks may differ.
  int priority = 0;
  /// One of reserve(); 0: the next one. The same on all ranks.
  std::uint64_t place = 0;
};

/// What a reserved place is for: sums are numbered apart where ranks share memory.
enum class PlaceFor : std::uint8_t { kAllReduce, kOther };

/// A fixed group of ranks that exchange contiguous buffers. Public calls check their arguments and
/// then call the backend; all backends get the same checks.
///
/// Collective calls must be made by all ranks in the same order with matching sizes, types and
/// roots; what a peer does otherwise is found by its first message and becomes a CommError. Calls
/// return at once; the Request says when the buffers may be touched again. Any thread
/// may call; calls of one communicator from several threads need an order that all ranks share.
///
/// Sums are taken in rank order, ((r0 + r1) + r2) + ..., for every element, whatever its place in
/// the buffer: a result depends on the number of ranks only, never on chunks or timing, and has the
/// same bits on all ranks.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] const CommunicatorOptions& options() const { return options_; }
  /// "mpi", "local", ...
  [[nodiscard]] virtual std::string_view backend() const = 0;
  /// Payload bytes that this rank has sent to others so far.
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
  /// True after a CommError: nothing more can be sent, and MPI must not be finalised.
  [[nodiscard]] virtual bool poisoned() const = 0;

  /// Takes the next `count` places in the common order of collectives. Whoever gets them (see Turn)
  /// may then begin at any time, and not in the same order on all ranks: one collective may depend
  /// on the result of another while later ones are under way already. No place may stay unused;
  /// where ranks share memory a sum begins only when those with earlier places have.
  /// @return the first; the others follow it.
  [[nodiscard]] virtual std::uint64_t reserve(int count, PlaceFor what) = 0;

  /// values[i] = op over ranks of values[i]. Sends 2 (N-1)/N of the buffer per rank.
  [[nodiscard]] Request all_reduce(Buffer values, ReduceOp op = ReduceOp::kSum, Turn turn = {});
  /// `values` holds size() pieces of piece.numel(); rank r receives the reduced piece r, which may
  /// be written over the own one in `values`. Buffers of one call overlap in no other way.
  [[nodiscard]] Request reduce_scatter(ConstBuffer values, Buffer piece,
                                       ReduceOp op = ReduceOp::kSum, Turn turn = {});
  /// Rank r's `piece` becomes piece r of everybody's `values` (size() * piece.numel()), where it
  /// may lie already.
  [[nodiscard]] Request all_gather(ConstBuffer piece, Buffer values, Turn turn = {});
  /// The same with counts[r] elements from rank r, one after the other. All ranks pass equal
  /// counts.
  [[nodiscard]] Request all_gather_v(ConstBuffer piece, Buffer values,
                                     std::vector<std::int64_t> counts, Turn turn = {});
  /// Piece r of `from` goes to rank r; piece r of `to` comes from rank r. Equal pieces.
  [[nodiscard]] Request all_to_all(ConstBuffer from, Buffer to, Turn turn = {});
  /// The same with to_counts[r] elements sent to rank r and from_counts[r] received from it.
  [[nodiscard]] Request all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts,
                                     Buffer to, std::vector<std::int64_t> from_counts,
                                     Turn turn = {});
  /// Everybody's `values` become those of `root`.
  [[nodiscard]] Request broadcast(Buffer values, int root, Turn turn = {});
  /// Point to point; matched by (peer, tag) in the order of the calls. Sizes and element types
  /// must agree; `tag` is in [0, 16384).
  [[nodiscard]] Request send(ConstBuffer values, int peer, int tag = 0);
  [[nodiscard]] Request recv(Buffer values, int peer, int tag = 0);
  /// Done when every rank has called it.
  [[nodiscard]] Request barrier();

  /// Makes a thread that is inside Request::wait_or() ask its question. Any thread.
  virtual void wake() = 0;

  /// Poisons this communicator, here and on the other ranks: all that is under way fails at once
  /// and not when patience has ended, because this rank will come to no other call. Does nothing
  /// where messages could still be written into memory that a caller lends; those requests do it
  /// when they are dropped. Local. Any thread. @param why  for the errors of all ranks
  virtual void give_up(const std::string& why) noexcept = 0;

  /// What ranks must agree on besides their calls, for instance the hash of a plan: later
  /// collectives carry it, and a rank with another one is a CommError at once. At first 0. Local.
  virtual void set_context(std::uint32_t context) = 0;

  /// Later collectives, and communicators that split off, travel in messages of so many bytes
  /// instead of CommunicatorOptions::chunk_bytes. Local, while nothing is under way; all ranks do
  /// the same between the same collectives.
  void set_chunk_bytes(std::size_t bytes);
  /// False where all sums go through shared memory: chunks then make no difference to them.
  [[nodiscard]] virtual bool sums_in_messages() const = 0;

  /// Collective and blocking, meant for start-up: ranks with equal `color` form a new communicator,
  /// ordered by (key, old rank). `color` must not be negative.
  [[nodiscard]] std::unique_ptr<Communicator> split(int color, int key);
  /// A communicator over the same ranks with an order of calls of its own. Collective, blocking.
  [[nodiscard]] std::unique_ptr<Communicator> duplicate() { return split(0, rank_); }

 protected:
  Communicator(int rank, int size, CommunicatorOptions options);

 private:
  using OperationPtr = std::unique_ptr<internal::Operation>;
  virtual OperationPtr do_all_reduce(Buffer values, ReduceOp op, Turn turn) = 0;
  virtual OperationPtr do_reduce_scatter(ConstBuffer values, Buffer piece, ReduceOp op,
                                         Turn turn) = 0;
  virtual OperationPtr do_all_gather_v(ConstBuffer piece, Buffer values,
                                       std::vector<std::int64_t> counts, Turn turn) = 0;
  virtual OperationPtr do_all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts,
                                       Buffer to, std::vector<std::int64_t> from_counts,
                                       Turn turn) = 0;
  virtual OperationPtr do_broadcast(Buffer values, int root, Turn turn) = 0;
  virtual OperationPtr do_send(ConstBuffer values, int peer, int tag) = 0;
  virtual OperationPtr do_recv(Buffer values, int peer, int tag) = 0;
  virtual OperationPtr do_barrier() = 0;
  virtual std::unique_ptr<Communicator> do_split(int color, int key) = 0;
  virtual void do_set_chunk_bytes(std::size_t bytes) = 0;
  /// The devices whose memory this backend takes.
  [[nodiscard]] virtual bool takes(Device device) const { return device == Device::kHost; }

  void check(const char* operation, const ConstBuffer& buffer) const;
  void check_op(const char* operation, ReduceOp op, DType dtype) const;
  void check_peer(const char* operation, int peer) const;

  int rank_;
  int size_;
  CommunicatorOptions options_;
};

}  // namespace convoy::comm
