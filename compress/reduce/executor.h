// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/half.h"
#include "comm/buffer.h"
#include "compress/codec/codec.h"
#include "compress/codec/half_codec.h"
#include "compress/codec/low_rank.h"
#include "compress/reduce/placed_codec.h"

namespace convoy::compress {

/// Where the values of a Reducer lie, and who computes on them: the host, or a device with a queue
/// of its own, which all calls join in their order. All spans lie there, but for those that are
/// called `host`. Results have the same bits on every Executor. One thread at a time.
class Executor {
 public:
  virtual ~Executor() = default;
  [[nodiscard]] virtual comm::Device device() const = 0;

  /// Before the first call of a thread, and again at any time.
  virtual void enter() = 0;

  /// Memory, contents undefined, aligned for all that is put there. Freed with its last owner.
  [[nodiscard]] virtual std::shared_ptr<std::byte> allocate(std::size_t bytes) = 0;
  /// Copies between the host and here; both wait until that is done.
  virtual void copy_in(std::span<const std::byte> host, std::span<std::byte> to) = 0;
  virtual void copy_out(std::span<const std::byte> from, std::span<std::byte> host) = 0;
  virtual void copy(std::span<const float> from, std::span<float> to) = 0;
  virtual void fill_zero(std::span<float> values) = 0;

  /// What is called from here on sees what others have queued for the device so far.
  virtual void follow_others() = 0;
  /// Waits until all that was called is done, for others to see.
  virtual void finish() = 0;

  /// sum[i] += term[i]
  virtual void add(std::span<const float> term, std::span<float> sum) = 0;
  virtual void scale(std::span<float> values, float factor) = 0;
  /// owed[i] = residual[i] + gradient[i]; `owed` may be `gradient`.
  virtual void add_residual(std::span<const float> residual, std::span<const float> gradient,
                            std::span<float> owed) = 0;
  virtual void add_residual(std::span<const BFloat16> residual, std::span<const float> gradient,
                            std::span<float> owed) = 0;
  /// residual[i] = owed[i], rounded.
  virtual void keep_residual(std::span<const float> owed, std::span<BFloat16> residual) = 0;

  /// A codec for calls in this Executor's order; one that has no kernels for a device works on the
  /// host, with copies.
  [[nodiscard]] virtual std::unique_ptr<PlacedCodec> place(std::shared_ptr<const Codec> codec) = 0;
  /// As compress::count_saturated().
  [[nodiscard]] virtual std::int64_t count_saturated(std::span<const float> values,
                                                     HalfFormat format) = 0;

  // As in compress/codec/low_rank.h.
  virtual void multiply(std::span<const float> matrix, MatrixShape shape, std::span<const float> q,
                        std::span<float> p) = 0;
  virtual void multiply_transposed(std::span<const float> matrix, MatrixShape shape,
                                   std::span<const float> p, std::span<float> q) = 0;
  /// A factor to orthogonalise: columns of `rows` values.
  struct Columns {
    std::span<float> values;
    std::int64_t rows = 0;
  };
  virtual void orthogonalise(std::span<const Columns> factors) = 0;
  virtual void draw_missing_columns(std::span<float> q, std::int64_t columns,
                                    std::uint64_t seed) = 0;
  virtual void product_and_residual(std::span<const float> p, std::span<const float> q,
                                    MatrixShape shape, std::span<float> out,
                                    std::span<float> residual) = 0;

  /// Seconds for measuring codecs: of this thread's processor time, or of a device that has nothing
  /// else to do. Waits for the queue.
  [[nodiscard]] virtual double seconds() = 0;
};

/// Who reduces, and who makes plans at the same time in another thread.
struct Executors {
  std::shared_ptr<Executor> reducing;  ///< shared with whoever has made it
  std::shared_ptr<Executor> planning;
};

}  // namespace convoy::compress
