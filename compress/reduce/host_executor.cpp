// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/host_executor.h"

#include <algorithm>
#include <new>
#include <utility>

#include "compress/codec/internal/elementwise.h"
#include "compress/reduce/internal/codec_timer.h"

namespace convoy::compress {
namespace {

/// Of vectors and cache lines.
constexpr std::align_val_t kAlignment{64};

class HostCodec final : public PlacedCodec {
 public:
  explicit HostCodec(std::shared_ptr<const Codec> codec) : codec_(std::move(codec)) {}

  std::size_t encode(std::span<const float> values, Level level, std::uint64_t seed,
                     std::span<std::byte> out) override {
    return codec_->encode(values, level, seed, out);
  }
  void decode(std::span<const std::byte> payload, std::span<float> out) override {
    codec_->decode(payload, out);
  }
  void add_decoded(std::span<const std::byte> payload, float scale, std::span<float> out) override {
    codec_->add_decoded(payload, scale, out);
  }
  std::vector<LevelCost> levels(std::span<const float> values,
                                std::span<const Level> candidates) override {
    return codec_->levels(values, candidates);
  }

 private:
  std::shared_ptr<const Codec> codec_;  // shared with the family
};

class HostExecutor final : public Executor {
 public:
  [[nodiscard]] comm::Device device() const override { return comm::Device::kHost; }

  void enter() override {}
  std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
    const auto free = [](std::byte* memory) { ::operator delete(memory, kAlignment); };
    return {static_cast<std::byte*>(::operator new(bytes, kAlignment)), free};
  }
  void copy_in(std::span<const std::byte> host, std::span<std::byte> to) override {
    std::ranges::copy(host, to.begin());
  }
  void copy_out(std::span<const std::byte> from, std::span<std::byte> host) override {
    std::ranges::copy(from, host.begin());
  }
  void copy(std::span<const float> from, std::span<float> to) override {
    std::ranges::copy(from, to.begin());
  }
  void fill_zero(std::span<float> values) override { std::ranges::fill(values, 0.0F); }
  void follow_others() override {}
  void finish() override {}

  void add(std::span<const float> term, std::span<float> sum) override {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term[i];
  }
  void scale(std::span<float> values, float factor) override {
    for (float& value : values) value *= factor;
  }
  void add_residual(std::span<const float> residual, std::span<const float> gradient,
                    std::span<float> owed) override {
    for (std::size_t i = 0; i < owed.size(); ++i) {
      owed[i] = internal::owed_of(residual[i], gradient[i]);
    }
  }
  void add_residual(std::span<const BFloat16> residual, std::span<const float> gradient,
                    std::span<float> owed) override {
    for (std::size_t i = 0; i < owed.size(); ++i) {
      owed[i] = internal::owed_of(to_float(residual[i]), gradient[i]);
    }
  }
  void keep_residual(std::span<const float> owed, std::span<BFloat16> residual) override {
    std::ranges::transform(owed, residual.begin(), [](float value) { return to_bfloat16(value); });
  }

  std::unique_ptr<PlacedCodec> place(std::shared_ptr<const Codec> codec) override {
    return std::make_unique<HostCodec>(std::move(codec));
  }
  std::int64_t count_saturated(std::span<const float> values, HalfFormat format) override {
    return compress::count_saturated(values, format);
  }

  void multiply(std::span<const float> matrix, MatrixShape shape, std::span<const float> q,
                std::span<float> p) override {
    compress::multiply(matrix, shape, q, p);
  }
  void multiply_transposed(std::span<const float> matrix, MatrixShape shape,
                           std::span<const float> p, std::span<float> q) override {
    compress::multiply_transposed(matrix, shape, p, q);
  }
  void orthogonalise(std::span<const Columns> factors) override {
    for (const Columns& factor : factors) compress::orthogonalise(factor.values, factor.rows);
  }
  void draw_missing_columns(std::span<float> q, std::int64_t columns, std::uint64_t seed) override {
    compress::draw_missing_columns(q, columns, seed);
  }
  void product_and_residual(std::span<const float> p, std::span<const float> q, MatrixShape shape,
                            std::span<float> out, std::span<float> residual) override {
    compress::product_and_residual(p, q, shape, out, residual);
  }

  double seconds() override { return internal::thread_seconds(); }
};

}  // namespace

Executors host_executors() {
  return {std::make_shared<HostExecutor>(), std::make_shared<HostExecutor>()};
}

}  // namespace convoy::compress
