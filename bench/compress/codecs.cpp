// SPDX-License-Identifier: Apache-2.0
// What codecs cost on one thread:
//   build/bin/codec_speed [number of values] [--benchmark_filter=quantize ...of Google Benchmark]
// `ratio` is the time in units of a memcpy of the values (against.h), `bytes` the payload and
// `relative_error` ||x - decoded|| / ||x||. Wanted (issue 3) of quantize/4: encode at most 1.2,
// add_decoded at most 1.5.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/compress/against.h"
#include "compress/codec/codec.h"
#include "compress/codec/half_codec.h"
#include "compress/codec/quantize_codec.h"

namespace convoy::compress {
namespace {

/// One codec at one level.
struct Case {
  std::string name;
  std::shared_ptr<const Codec> codec;
  Level level;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto nearest = std::make_shared<QuantizeCodec>();
  const auto stochastic =
      std::make_shared<QuantizeCodec>(QuantizeConfig{.rounding = Rounding::kStochastic});
  for (int bits = 1; bits <= 8; ++bits) {
    all.push_back({"quantize/" + std::to_string(bits), nearest, Level(bits)});
  }
  all.push_back({"quantize_stochastic/4", stochastic, Level(4)});
  all.push_back({"float16", std::make_shared<HalfCodec>(), Level(16)});
  all.push_back({"bfloat16",
                 std::make_shared<HalfCodec>(HalfConfig{.format = HalfFormat::kBFloat16}),
                 Level(16)});
  return all;
}

/// Floats that begin with a cache line, as LibTorch's tensors do.
class Floats {
 public:
  explicit Floats(std::size_t numel) : lines_(numel / 16 + 1), numel_(numel) {}
  std::span<float> span() { return {lines_[0].values, numel_}; }

 private:
  struct alignas(64) Line {
    float values[16];
  };
  std::vector<Line> lines_;
  std::size_t numel_;
};

/// What every benchmark works on.
class Buffers {
 public:
  explicit Buffers(std::size_t numel) : values_(numel), copy_(numel), out_(numel) {
    Random random(1);
    for (float& value : values_.span()) value = static_cast<float>(random.normal());
  }

 private:
  Floats values_;
  Floats copy_;
  Floats out_;

 public:
  const std::span<const float> values = values_.span();
  const std::span<float> copy = copy_.span();
  const std::span<float> out = out_.span();
};

/// Of `work` against copying the values.
template <typename Work>
void time_against_copy(benchmark::State& state, Buffers& buffers, Work work) {
  const std::size_t bytes = buffers.values.size_bytes();
  bench::time_against(
      state, [&] { std::memcpy(buffers.copy.data(), buffers.values.data(), bytes); }, work);
}

double relative_error(std::span<const float> values, std::span<const float> decoded) {
  double squares = 0.0;
  double error = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = static_cast<double>(values[i]) - static_cast<double>(decoded[i]);
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    error += difference * difference;
  }
  return std::sqrt(error / squares);
}

std::vector<std::byte> encode(const Case& test, const Buffers& buffers) {
  const auto count = static_cast<std::int64_t>(buffers.values.size());
  std::vector<std::byte> payload(test.codec->max_bytes(count, test.level));
  payload.resize(test.codec->encode(buffers.values, test.level, 1, payload));
  return payload;
}

void bench_encode(benchmark::State& state, const Case& test, Buffers& buffers) {
  const auto count = static_cast<std::int64_t>(buffers.values.size());
  std::vector<std::byte> payload(test.codec->max_bytes(count, test.level));
  std::size_t used = 0;
  time_against_copy(state, buffers,
                    [&] { used = test.codec->encode(buffers.values, test.level, 1, payload); });
  test.codec->decode(std::span(payload).first(used), buffers.out);
  state.counters["bytes"] = static_cast<double>(used);
  state.counters["relative_error"] = relative_error(buffers.values, buffers.out);
}

void bench_add_decoded(benchmark::State& state, const Case& test, Buffers& buffers) {
  const std::vector<std::byte> payload = encode(test, buffers);
  time_against_copy(state, buffers, [&] { test.codec->add_decoded(payload, 1e-3F, buffers.out); });
  state.counters["bytes"] = static_cast<double>(payload.size());
}

/// The level tables of the families, for all their usual candidates at once.
void bench_levels(benchmark::State& state, const Codec& codec, const std::vector<Level>& levels,
                  Buffers& buffers) {
  time_against_copy(state, buffers,
                    [&] { benchmark::DoNotOptimize(codec.levels(buffers.values, levels)); });
}

void register_all(Buffers& buffers) {
  const auto add = [](const std::string& name, const auto& run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Unit(benchmark::kMillisecond);
  };
  for (const Case& test : cases()) {
    add(test.name + "/encode",
        [test, &buffers](benchmark::State& state) { bench_encode(state, test, buffers); });
    add(test.name + "/add_decoded",
        [test, &buffers](benchmark::State& state) { bench_add_decoded(state, test, buffers); });
  }
  add("quantize/levels", [&buffers](benchmark::State& state) {
    std::vector<Level> widths;
    for (int bits = 1; bits <= 8; ++bits) widths.emplace_back(bits);
    bench_levels(state, QuantizeCodec(), widths, buffers);
  });
}

}  // namespace
}  // namespace convoy::compress

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  // What is left: the number of values; about ResNet-18 unless given.
  convoy::compress::Buffers buffers(argc > 1 ? std::stoul(argv[1]) : 11'200'000);
  convoy::compress::register_all(buffers);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
