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

/// What a family is made of.
struct Parts {
  comm::Communicator& communicator;
  CompressionConfig config;
  Executors executors;

  [[nodiscard]] std::unique_ptr<Family> two_hops(const TwoHopFamily::Options& options) const {
    return std::make_unique<TwoHopFamily>(communicator, make_codec(config), executors, options);
  }
};

std::unique_ptr<Family> half(const Parts& parts) {
  const bool is_bfloat16 = parts.config.half_type == "bfloat16";
  return parts.two_hops(
      {.granule = kHalfGranule,
       .count_saturated = is_bfloat16 ? HalfFormat::kBFloat16 : HalfFormat::kFloat16});
}

std::unique_ptr<Family> top_k(const Parts& parts) {
  if (parts.communicator.size() >= parts.config.two_hop_ranks) {
    return parts.two_hops({.sizes_vary = true});
  }
  return std::make_unique<GatherFamily>(parts.communicator, make_codec(parts.config),
                                        parts.executors);
}

std::unique_ptr<Family> plain_family(const Parts& parts) {
  if (parts.config.family == "quantize") return parts.two_hops({.granule = parts.config.group});
  if (parts.config.family == "top_k") return top_k(parts);
  return std::make_unique<PowerSgdFamily>(parts.communicator, parts.executors);
}

std::unique_ptr<Family> with_half(Parts parts, std::unique_ptr<Family> family) {
  parts.config.family = "half";
  return std::make_unique<HalfOrFamily>(std::move(family), half(parts));
}

std::unique_ptr<Family> make_family(const Parts& parts) {
  if (parts.config.family == "half") return half(parts);
  return with_half(parts, plain_family(parts));
}

}  // namespace

ReducerFactory make_reducer(const CompressionConfig& config, std::uint64_t seed,
                            std::vector<PlanRecord> replay, Executors executors) {
  check(config);
  return [config, seed, replay,
          executors](comm::Communicator& communicator) -> std::unique_ptr<Reducer> {
    if (config.family == "none") return std::make_unique<DenseReducer>(communicator);
    return std::make_unique<CompressedReducer>(
        communicator, make_family({communicator, config, executors}),
        CompressedReducer::Options{
            .config = config, .seed = seed, .replay = replay, .executors = executors});
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
                            std::uint64_t seed, Executors executors) {
  require(codec != nullptr, "make_reducer: no codec");
  codec->check_level(Level(config.level));
  for (const double level : config.candidates) codec->check_level(Level(level));
  CompressionConfig checked = config;
  checked.family = "none";  // no built-in family's levels
  check(checked);
  checked.family = codec->family();
  if (config.candidates.empty()) checked.policy = "uniform";  // there is nothing to choose from
  return [codec, checked, seed,
          executors](comm::Communicator& communicator) -> std::unique_ptr<Reducer> {
    auto family = std::make_unique<GatherFamily>(communicator, codec, executors);
    return std::make_unique<CompressedReducer>(
        communicator, with_half({communicator, checked, executors}, std::move(family)),
        CompressedReducer::Options{
            .config = checked, .seed = seed, .replay = {}, .executors = executors});
  };
}

}  // namespace convoy::compress
