// SPDX-License-Identifier: Apache-2.0
// How fast the codecs of a GPU are, beside a copy of the same values from device memory to device
// memory. One JSON line for each case; GB/s counts the float32 values once, in 10^9 bytes.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/harness.h"
#include "tests/gpu/on_gpu.h"

namespace convoy::compress::cuda {
namespace {

constexpr int kWarmUps = 3;
constexpr int kRepeats = 20;

void report(const std::string& what, std::int64_t numel, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (int i = -kWarmUps; i < kRepeats; ++i) {
    check_call(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    const auto start = Clock::now();
    work();
    check_call(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    if (i >= 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  const bench::Timing timing = bench::summarize(seconds);
  const double bytes = 4.0 * static_cast<double>(numel);
  const nlohmann::ordered_json line{{"case", what},
                                    {"bytes", bytes},
                                    {"median_s", timing.median},
                                    {"spread_s", timing.spread},
                                    {"gb_per_s", bytes / timing.median * 1e-9}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

std::vector<float> normal_values(std::int64_t numel) {
  Random random(1);
  std::vector<float> values(static_cast<std::size_t>(numel));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

void time_codec(const std::string& name, DeviceCodec& codec, Level level,
                OnGpu::Memory<float>& values, OnGpu::Memory<float>& sum) {
  const std::int64_t numel = values.span().size();
  OnGpu::Memory<std::byte> payload(std::vector<std::byte>(codec.on_host().max_bytes(numel, level)));
  std::size_t used = 0;
  report(name + " encode", numel, [&] {
    used = codec.encode(DeviceSpan<const float>(values.span()), level, 1, payload.span());
  });
  const auto sent = payload.span().part(0, static_cast<std::int64_t>(used));
  report(name + " decode-and-add", numel, [&] { codec.add_decoded(sent, 1.0F, sum.span()); });
}

void time_size(std::int64_t numel) {
  const auto start = normal_values(numel);
  OnGpu::Memory<float> values(start);
  OnGpu::Memory<float> sum(start);
  const auto bytes = static_cast<std::size_t>(numel) * sizeof(float);
  report("copy", numel, [&] {
    check_call(cudaMemcpyAsync(sum.span().data(), values.span().data(), bytes,
                               cudaMemcpyDeviceToDevice, nullptr),
               "cudaMemcpyAsync");
  });
  for (const int bits : {2, 4, 8}) {
    time_codec("quantize " + std::to_string(bits) + " bits", *OnGpu::make(QuantizeConfig{}),
               Level(bits), values, sum);
  }
  for (const double density : {0.001, 0.01}) {
    time_codec("top_k " + to_text(Level(density)), *OnGpu::make(TopKConfig{}), Level(density),
               values, sum);
  }
  report("residual", numel,
         [&] { OnGpu::add_residual<float>(values.span(), sum.span(), sum.span()); });
}

}  // namespace
}  // namespace convoy::compress::cuda

int main() {
  try {
    for (const std::int64_t numel : {1 << 20, 1 << 24, 1 << 26}) {
      convoy::compress::cuda::time_size(numel);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_codec_speed: %s\n", error.what());
    return 1;
  }
}
