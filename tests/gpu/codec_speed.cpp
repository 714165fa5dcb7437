// SPDX-License-Identifier: Apache-2.0
// How fast the codecs of a GPU are, beside a copy of the same values from device memory to device
// memory. One JSON line for each case; GB/s counts the float32 values once, in 10^9 bytes.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/harness.h"
#include "compress/cuda/engine.h"
#include "tests/compress/cuda/device_values.h"

namespace convoy::compress::cuda {
namespace {

constexpr int kWarmUps = 3;
constexpr int kRepeats = 20;

void report(Engine& engine, const std::string& what, std::int64_t numel,
            const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (int i = -kWarmUps; i < kRepeats; ++i) {
    engine.finish();
    const auto start = Clock::now();
    work();
    engine.finish();
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

using Floats = DeviceValuesOf<float>;

void time_codec(Engine& engine, const std::string& name, DeviceCodec& codec, Level level,
                const Floats& values, const Floats& sum) {
  const std::int64_t numel = values.span().size();
  const DeviceValuesOf<std::byte> payload(
      engine, std::vector<std::byte>(codec.on_host().max_bytes(numel, level)));
  std::size_t used = 0;
  report(engine, name + " encode", numel,
         [&] { used = codec.encode(values.read(), level, 1, payload.span()); });
  const auto sent = payload.span().part(0, static_cast<std::int64_t>(used));
  report(engine, name + " decode-and-add", numel,
         [&] { codec.add_decoded(sent, 1.0F, sum.span()); });
}

void time_codecs(Engine& engine, const Floats& values, const Floats& sum) {
  for (const int bits : {2, 4, 8}) {
    time_codec(engine, "quantize " + std::to_string(bits) + " bits",
               *engine.make_codec(QuantizeConfig{}), Level(bits), values, sum);
  }
  for (const double density : {0.001, 0.01}) {
    time_codec(engine, "top_k " + to_text(Level(density)), *engine.make_codec(TopKConfig{}),
               Level(density), values, sum);
  }
  time_codec(engine, "half", *engine.make_codec(HalfConfig{}), Level(16), values, sum);
}

/// Sixteen layers that are `values` together, with as many rows as columns, of rank 4; the GB/s of
/// `orthogonalise` count those layers, not their factors.
void time_low_rank(Engine& engine, const Floats& values, const Floats& sum) {
  constexpr std::int64_t kLayers = 16;
  constexpr std::int64_t kRank = 4;
  const std::int64_t numel = values.span().size() / kLayers;
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(numel)));
  const Floats factors(engine, normal_values(kLayers * kRank * side));
  std::vector<Engine::Columns> columns;
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    columns.push_back({factors.span().part(layer * kRank * side, kRank * side), side});
  }
  report(engine, "orthogonalise rank 4", kLayers * side * side,
         [&] { engine.orthogonalise(columns); });
  report(engine, "product rank 4", kLayers * side * side, [&] {
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      const auto factor = columns[static_cast<std::size_t>(layer)].values;
      engine.product_and_residual(factor, factor, {side, side},
                                  values.span().part(layer * side * side, side * side),
                                  sum.span().part(layer * side * side, side * side));
    }
  });
}

void time_size(Engine& engine, std::int64_t numel) {
  const auto start = normal_values(numel);
  const Floats values(engine, start);
  const Floats sum(engine, start);
  const auto bytes = [numel](const Floats& floats) {
    return DeviceSpan<std::byte>(reinterpret_cast<std::byte*>(floats.span().data()),
                                 numel * static_cast<std::int64_t>(sizeof(float)));
  };
  report(engine, "copy", numel, [&] { engine.copy(bytes(values), bytes(sum)); });
  time_codecs(engine, values, sum);
  report(engine, "residual", numel,
         [&] { engine.add_residual(values.read(), sum.read(), sum.span()); });
  time_low_rank(engine, values, sum);
}

}  // namespace
}  // namespace convoy::compress::cuda

int main() {
  try {
    const auto engine = convoy::compress::cuda::make_engine();
    for (const std::int64_t numel : {1 << 20, 1 << 24, 1 << 26}) {
      convoy::compress::cuda::time_size(*engine, numel);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_codec_speed: %s\n", error.what());
    return 1;
  }
}
