// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/make_reducer.h"

#include <utility>

#include "base/errors.h"
#include "compress/codec/half_codec.h"
#include "compress/make_codec.h"
#include "compress/reduce/dense_reducer.h"
#include "compress/reduce/gather_family.h"
#include "compress/reduce/half_or_family.h"
#include "compress/reduce/internal/compressed_reducer.h"
#include "compress/reduce/node_reducer.h"
#include "compress/reduce/power_sgd_family.h"
#include "compress/reduce/two_hop_family.h"

namespace convoy::compress {
namespace {

using internal::CompressedReducer;

/// Chunks of 16-bit values begin at multiples of a cache line.
constexpr std::int64_t kHalfGranule = 32;

std::unique_ptr<Family> quantize(comm::Communicator& communicator,
                                 const CompressionConfig& config) {
  return std::make_unique<TwoHopFamily>(communicator, make_codec(config),
                                        TwoHopFamily::Options{.granule = config.group});
}

std::unique_ptr<Family> half(comm::Communicator& communicator, const CompressionConfig& config) {
  const auto format = config.half_type == "bfloat16" ? HalfFormat::kBFloat16 : HalfFormat::kFloat16;
  return std::make_unique<TwoHopFamily>(
      communicator, make_codec(config),
      TwoHopFamily::Options{.granule = kHalfGranule,
                            .count_saturated = [format](std::span<const float> values) {
                              return count_saturated(values, format);
                            }});
}

std::unique_ptr<Family> top_k(comm::Communicator& communicator, const CompressionConfig& config) {
  if (communicator.size() < config.two_hop_ranks) {
    return std::make_unique<GatherFamily>(communicator, make_codec(config));
  }
  return std::make_unique<TwoHopFamily>(communicator, make_codec(config),
                                        TwoHopFamily::Options{.sizes_vary = true});
}

std::unique_ptr<Family> plain_family(comm::Communicator& communicator,
                                     const CompressionConfig& config) {
  if (config.family == "quantize") return quantize(communicator, config);
  if (config.family == "top_k") return top_k(communicator, config);
  return std::make_unique<PowerSgdFamily>(communicator);
}

std::unique_ptr<Family> with_half(comm::Communicator& communicator, CompressionConfig config,
                                  std::unique_ptr<Family> family) {
  config.family = "half";
  return std::make_unique<HalfOrFamily>(std::move(family), half(communicator, config));
}

std::unique_ptr<Family> make_family(comm::Communicator& communicator,
                                    const CompressionConfig& config) {
  if (config.family == "half") return half(communicator, config);
  return with_half(communicator, config, plain_family(communicator, config));
}

}  // namespace

ReducerFactory make_reducer(const CompressionConfig& config, std::uint64_t seed,
                            std::vector<PlanRecord> replay) {
  check(config);
  return [config, seed, replay](comm::Communicator& communicator) -> std::unique_ptr<Reducer> {
    if (config.family == "none") return std::make_unique<DenseReducer>(communicator);
    return std::make_unique<CompressedReducer>(
        communicator, make_family(communicator, config),
        CompressedReducer::Options{.config = config, .seed = seed, .replay = replay});
  };
}

ReducerFactory make_node_reducer(const CompressionConfig& config, std::uint64_t seed,
                                 comm::Communicator& host, std::vector<PlanRecord> replay) {
  const bool replays = !replay.empty();
  NodeReducer::Options options{.between = make_reducer(config, seed, std::move(replay)),
                               .compresses =
                                   [config](const Layer& layer) {
                                     return config.family != "none" &&
                                            compress::compresses(config, layer.name, layer.shape,
                                                                 layer.numel);
                                   },
                               .shows_nonfinite = config.family == "none",
                               .replays = replays};
  return [options, &host](comm::Communicator& communicator) -> std::unique_ptr<Reducer> {
    return std::make_unique<NodeReducer>(communicator, host, options);
  };
}

ReducerFactory make_reducer(std::shared_ptr<const Codec> codec, const CompressionConfig& config,
                            std::uint64_t seed) {
  require(codec != nullptr, "make_reducer: no codec");
  codec->check_level(Level(config.level));
  for (const double level : config.candidates) codec->check_level(Level(level));
  CompressionConfig checked = config;
  checked.family = "none";  // no built-in family's levels
  check(checked);
  checked.family = codec->family();
  if (config.candidates.empty()) checked.policy = "uniform";  // there is nothing to choose from
  return [codec, checked, seed](comm::Communicator& communicator) -> std::unique_ptr<Reducer> {
    return std::make_unique<CompressedReducer>(
        communicator,
        with_half(communicator, checked, std::make_unique<GatherFamily>(communicator, codec)),
        CompressedReducer::Options{.config = checked, .seed = seed, .replay = {}});
  };
}

}  // namespace convoy::compress
