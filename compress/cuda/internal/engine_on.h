// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "compress/cuda/engine.h"
#include "compress/cuda/internal/half_kernels.h"
#include "compress/cuda/internal/low_rank_steps.h"
#include "compress/cuda/internal/multiply_steps.h"
#include "compress/cuda/internal/residual_kernels.h"
#include "compress/cuda/internal/runner_steps.h"

namespace convoy::compress::cuda {

/// The Engine of a Runner (runner_steps.h), for which there is make_codec_on(runner, config) of
/// every codec's config.
template <typename Runner>
class EngineOn : public Engine {
 public:
  explicit EngineOn(Runner runner) : runner_(std::move(runner)) {}

  void enter() override { runner_.enter(); }
  std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
    return runner_.allocate(bytes);
  }
  void copy_in(std::span<const std::byte> from, DeviceSpan<std::byte> to) override {
    require_same(static_cast<std::int64_t>(from.size()), to.size(), "copy_in");
    runner_.copy_in(from, to);
  }
  void copy_out(DeviceSpan<const std::byte> from, std::span<std::byte> to) override {
    require_same(from.size(), static_cast<std::int64_t>(to.size()), "copy_out");
    runner_.copy_out(from, to);
  }
  void copy(DeviceSpan<const std::byte> from, DeviceSpan<std::byte> to) override {
    require_same(from.size(), to.size(), "copy");
    runner_.copy(from, to);
  }
  void fill_zero(DeviceSpan<std::byte> to) override { runner_.fill_zero(to); }

  void follow_caller() override { runner_.follow_caller(); }
  void finish() override { runner_.finish(); }
  [[nodiscard]] Stream stream() const override { return runner_.stream(); }

  std::unique_ptr<DeviceCodec> make_codec(QuantizeConfig config) override {
    return make_codec_on(runner_, config);
  }
  std::unique_ptr<DeviceCodec> make_codec(TopKConfig config) override {
    return make_codec_on(runner_, config);
  }
  std::unique_ptr<DeviceCodec> make_codec(HalfConfig config) override {
    return make_codec_on(runner_, config);
  }

  std::int64_t count_saturated(DeviceSpan<const float> values, HalfFormat format) override {
    const auto count = saturated_.at_least(1);
    runner_.fill_zero(count);
    launch_for(values.size(), CountSaturated{values, format, count});
    return static_cast<std::int64_t>(runner_.to_host(count).front());
  }

  void add(DeviceSpan<const float> term, DeviceSpan<float> sum) override {
    require_same(term.size(), sum.size(), "add");
    launch_for(sum.size(), Add{term, sum});
  }
  void scale(DeviceSpan<float> values, float factor) override {
    launch_for(values.size(), Scale{values, factor});
  }
  void add_residual(DeviceSpan<const float> residual, DeviceSpan<const float> gradient,
                    DeviceSpan<float> owed) override {
    add_any_residual(residual, gradient, owed);
  }
  void add_residual(DeviceSpan<const BFloat16> residual, DeviceSpan<const float> gradient,
                    DeviceSpan<float> owed) override {
    add_any_residual(residual, gradient, owed);
  }
  void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual) override {
    require_same(owed.size(), residual.size(), "keep_residual");
    launch_for(owed.size(), KeepResidual{owed, residual});
  }

  void multiply(DeviceSpan<const float> matrix, MatrixShape shape, DeviceSpan<const float> q,
                DeviceSpan<float> p) override {
    multiply_on(runner_, matrix, shape, q, p);
  }
  void multiply_transposed(DeviceSpan<const float> matrix, MatrixShape shape,
                           DeviceSpan<const float> p, DeviceSpan<float> q) override {
    multiply_transposed_on(runner_, matrix, shape, p, q, parts_);
  }
  void orthogonalise(std::span<const Columns> factors) override {
    orthogonalise_on(runner_, factors, work_.at_least(orthogonalise_needs(factors)));
  }
  void draw_missing_columns(DeviceSpan<float> q, std::int64_t columns,
                            std::uint64_t seed) override {
    draw_missing_columns_on(runner_, q, columns, seed);
  }
  void product_and_residual(DeviceSpan<const float> p, DeviceSpan<const float> q, MatrixShape shape,
                            DeviceSpan<float> out, DeviceSpan<float> residual) override {
    product_and_residual_on(runner_, p, q, shape, out, residual);
  }

 private:
  static void require_same(std::int64_t a, std::int64_t b, const char* call) {
    require(a == b, std::string(call) + " on a GPU: memory of " + std::to_string(a) + " and of " +
                        std::to_string(b) + " elements");
  }

  template <typename Kernel>
  void launch_for(std::int64_t count, const Kernel& kernel) {
    runner_.launch(kernel, blocks_for(count, kThreads), kThreads);
  }

  template <typename T>
  void add_any_residual(DeviceSpan<const T> residual, DeviceSpan<const float> gradient,
                        DeviceSpan<float> owed) {
    require_same(residual.size(), owed.size(), "add_residual");
    require_same(gradient.size(), owed.size(), "add_residual");
    launch_for(owed.size(), AddResidual<T>{residual, gradient, owed});
  }

  Runner runner_;
  typename Runner::template Buffer<std::uint64_t> saturated_;
  typename Runner::template Buffer<double> work_;
  typename Runner::template Buffer<float> parts_;
};

}  // namespace convoy::compress::cuda
