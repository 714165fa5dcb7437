// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/device_executor.h"

#include <chrono>
#include <type_traits>
#include <utility>

#include "compress/codec/quantize_codec.h"
#include "compress/codec/top_k_codec.h"
#include "compress/reduce/internal/codec_by_host.h"

namespace convoy::compress {
namespace {

template <typename T>
cuda::DeviceSpan<T> on_device(std::span<T> values) {
  return {values.data(), std::ssize(values)};
}

template <typename T>
cuda::DeviceSpan<std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>> bytes_of(
    std::span<T> values) {
  if constexpr (std::is_const_v<T>) {
    return on_device(std::as_bytes(values));
  } else {
    return on_device(std::as_writable_bytes(values));
  }
}

class CodecOnDevice final : public PlacedCodec {
 public:
  explicit CodecOnDevice(std::unique_ptr<cuda::DeviceCodec> codec) : codec_(std::move(codec)) {}

  std::size_t encode(std::span<const float> values, Level level, std::uint64_t seed,
                     std::span<std::byte> out) override {
    return codec_->encode(on_device(values), level, seed, on_device(out));
  }
  void decode(std::span<const std::byte> payload, std::span<float> out) override {
    codec_->decode(on_device(payload), on_device(out));
  }
  void add_decoded(std::span<const std::byte> payload, float scale, std::span<float> out) override {
    codec_->add_decoded(on_device(payload), scale, on_device(out));
  }
  std::vector<LevelCost> levels(std::span<const float> values,
                                std::span<const Level> candidates) override {
    return codec_->levels(on_device(values), candidates);
  }

 private:
  std::unique_ptr<cuda::DeviceCodec> codec_;
};

/// The kernels' codec with the config of `codec`; null where there is none.
std::unique_ptr<cuda::DeviceCodec> kernels_of(cuda::Engine& engine, const Codec& codec) {
  if (const auto* known = dynamic_cast<const QuantizeCodec*>(&codec)) {
    return engine.make_codec(known->config());
  }
  if (const auto* known = dynamic_cast<const TopKCodec*>(&codec)) {
    return engine.make_codec(known->config());
  }
  if (const auto* known = dynamic_cast<const HalfCodec*>(&codec)) {
    return engine.make_codec(known->config());
  }
  return nullptr;
}

class DeviceExecutor final : public Executor {
 public:
  explicit DeviceExecutor(std::unique_ptr<cuda::Engine> engine) : engine_(std::move(engine)) {}
  [[nodiscard]] comm::Device device() const override { return comm::Device::kCuda; }

  void enter() override { engine_->enter(); }
  std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
    return engine_->allocate(bytes);
  }
  void copy_in(std::span<const std::byte> host, std::span<std::byte> to) override {
    engine_->copy_in(host, on_device(to));
  }
  void copy_out(std::span<const std::byte> from, std::span<std::byte> host) override {
    engine_->copy_out(on_device(from), host);
  }
  void copy(std::span<const float> from, std::span<float> to) override {
    engine_->copy(bytes_of(from), bytes_of(to));
  }
  void fill_zero(std::span<float> values) override { engine_->fill_zero(bytes_of(values)); }
  void follow_others() override { engine_->follow_caller(); }
  void finish() override { engine_->finish(); }

  void add(std::span<const float> term, std::span<float> sum) override {
    engine_->add(on_device(term), on_device(sum));
  }
  void scale(std::span<float> values, float factor) override {
    engine_->scale(on_device(values), factor);
  }
  void add_residual(std::span<const float> residual, std::span<const float> gradient,
                    std::span<float> owed) override {
    engine_->add_residual(on_device(residual), on_device(gradient), on_device(owed));
  }
  void add_residual(std::span<const BFloat16> residual, std::span<const float> gradient,
                    std::span<float> owed) override {
    engine_->add_residual(on_device(residual), on_device(gradient), on_device(owed));
  }
  void keep_residual(std::span<const float> owed, std::span<BFloat16> residual) override {
    engine_->keep_residual(on_device(owed), on_device(residual));
  }

  std::unique_ptr<PlacedCodec> place(std::shared_ptr<const Codec> codec) override {
    if (auto kernels = kernels_of(*engine_, *codec)) {
      return std::make_unique<CodecOnDevice>(std::move(kernels));
    }
    return std::make_unique<internal::CodecByHost>(*this, std::move(codec));
  }
  std::int64_t count_saturated(std::span<const float> values, HalfFormat format) override {
    return engine_->count_saturated(on_device(values), format);
  }

  void multiply(std::span<const float> matrix, MatrixShape shape, std::span<const float> q,
                std::span<float> p) override {
    engine_->multiply(on_device(matrix), shape, on_device(q), on_device(p));
  }
  void multiply_transposed(std::span<const float> matrix, MatrixShape shape,
                           std::span<const float> p, std::span<float> q) override {
    engine_->multiply_transposed(on_device(matrix), shape, on_device(p), on_device(q));
  }
  void orthogonalise(std::span<const Columns> factors) override {
    columns_.clear();
    for (const Columns& factor : factors) {
      columns_.push_back({on_device(factor.values), factor.rows});
    }
    engine_->orthogonalise(columns_);
  }
  void draw_missing_columns(std::span<float> q, std::int64_t columns, std::uint64_t seed) override {
    engine_->draw_missing_columns(on_device(q), columns, seed);
  }
  void product_and_residual(std::span<const float> p, std::span<const float> q, MatrixShape shape,
                            std::span<float> out, std::span<float> residual) override {
    engine_->product_and_residual(on_device(p), on_device(q), shape, on_device(out),
                                  on_device(residual));
  }

  double seconds() override {
    engine_->finish();
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

 private:
  std::unique_ptr<cuda::Engine> engine_;
  std::vector<cuda::Engine::Columns> columns_;
};

}  // namespace

std::shared_ptr<Executor> device_executor(std::unique_ptr<cuda::Engine> engine) {
  return std::make_shared<DeviceExecutor>(std::move(engine));
}

}  // namespace convoy::compress
