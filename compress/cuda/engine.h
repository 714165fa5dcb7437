// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/half.h"
#include "compress/codec/half_codec.h"
#include "compress/codec/low_rank.h"
#include "compress/codec/quantize_codec.h"
#include "compress/codec/top_k_codec.h"
#include "compress/cuda/device_codec.h"
#include "compress/cuda/device_span.h"
#include "compress/cuda/stream.h"

namespace convoy::compress::cuda {

/// Memory, codecs and arithmetic of one device, on one stream of its own. Calls queue work there,
/// in their order, and return; those that wait say so. All bits are those of the CPU's functions,
/// but for those of a NaN in a sum. One thread at a time, which has called enter() once.
///
/// Every call throws CudaError when the runtime fails (also because of what was queued before), and
/// ContractError when sizes do not fit.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Makes the engine's device the current one of this thread, as every thread that calls needs it.
  virtual void enter() = 0;

  /// `bytes` of device memory, aligned for any element, with any contents; null for none. Taking it
  /// may wait for the device, and so does its going back, with its last owner: keep it. May outlive
  /// the engine.
  [[nodiscard]] virtual std::shared_ptr<std::byte> allocate(std::size_t bytes) = 0;
  /// Returns when `from` may be written again.
  virtual void copy_in(std::span<const std::byte> from, DeviceSpan<std::byte> to) = 0;
  /// Waits for all that is queued; `to` is filled then.
  virtual void copy_out(DeviceSpan<const std::byte> from, std::span<std::byte> to) = 0;
  virtual void copy(DeviceSpan<const std::byte> from, DeviceSpan<std::byte> to) = 0;
  virtual void fill_zero(DeviceSpan<std::byte> to) = 0;

  /// What is queued from here on comes after what others have put on the caller's stream so far.
  virtual void follow_caller() = 0;
  /// Waits for all that is queued.
  virtual void finish() = 0;
  /// For NCCL and LibTorch; null where there is none (tests on the host).
  [[nodiscard]] virtual Stream stream() const = 0;

  /// Works on the engine's stream, within its calls' order; may outlive the engine.
  [[nodiscard]] virtual std::unique_ptr<DeviceCodec> make_codec(QuantizeConfig config) = 0;
  [[nodiscard]] virtual std::unique_ptr<DeviceCodec> make_codec(TopKConfig config) = 0;
  [[nodiscard]] virtual std::unique_ptr<DeviceCodec> make_codec(HalfConfig config) = 0;
  /// As count_saturated() of half_codec.h. Waits.
  [[nodiscard]] virtual std::int64_t count_saturated(DeviceSpan<const float> values,
                                                     HalfFormat format) = 0;

  /// sum[i] += term[i].
  virtual void add(DeviceSpan<const float> term, DeviceSpan<float> sum) = 0;
  /// values[i] *= factor.
  virtual void scale(DeviceSpan<float> values, float factor) = 0;
  /// owed[i] = residual[i] + gradient[i]. `owed` may be one of the others.
  virtual void add_residual(DeviceSpan<const float> residual, DeviceSpan<const float> gradient,
                            DeviceSpan<float> owed) = 0;
  /// The same with a residual that is kept in 16 bits.
  virtual void add_residual(DeviceSpan<const BFloat16> residual, DeviceSpan<const float> gradient,
                            DeviceSpan<float> owed) = 0;
  /// residual[i] = owed[i], rounded to 16 bits.
  virtual void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual) = 0;

  /// As multiply() and multiply_transposed() of low_rank.h. Read the matrix once for every four
  /// columns of the factors.
  virtual void multiply(DeviceSpan<const float> matrix, MatrixShape shape,
                        DeviceSpan<const float> q, DeviceSpan<float> p) = 0;
  virtual void multiply_transposed(DeviceSpan<const float> matrix, MatrixShape shape,
                                   DeviceSpan<const float> p, DeviceSpan<float> q) = 0;
  /// A factor of power_sgd, column after column.
  struct Columns {
    DeviceSpan<float> values;
    std::int64_t rows = 0;
  };
  /// As orthogonalise() of low_rank.h on each of them; all at once, so that many small ones take as
  /// long as the largest.
  virtual void orthogonalise(std::span<const Columns> factors) = 0;
  /// As draw_missing_columns() of low_rank.h. Drawing is slow: one thread for each column.
  virtual void draw_missing_columns(DeviceSpan<float> q, std::int64_t columns,
                                    std::uint64_t seed) = 0;
  /// As product_and_residual() of low_rank.h.
  virtual void product_and_residual(DeviceSpan<const float> p, DeviceSpan<const float> q,
                                    MatrixShape shape, DeviceSpan<float> out,
                                    DeviceSpan<float> residual) = 0;
};

/// Of the current device, on a new stream that does not wait for the default stream.
/// @param caller  whom follow_caller() follows; null is the legacy default stream.
/// @throws CudaError if CUDA cannot be used: see why_unusable().
[[nodiscard]] std::unique_ptr<Engine> make_engine(Stream caller = nullptr);

}  // namespace convoy::compress::cuda
