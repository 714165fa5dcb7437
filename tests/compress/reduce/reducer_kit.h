// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "comm/communicator.h"
#include "compress/reduce/make_reducer.h"

namespace convoy::tests {

/// Gradients of all layers of a model, by name.
using Gradients = std::map<std::string, std::vector<float>>;

/// The layers of a small model: conv weights, a matrix, a large bias and a small matrix, which two
/// go dense.
[[nodiscard]] std::vector<compress::Layer> small_model();

/// What `rank` computes in `step`: normal values whose scale differs by layer; a low-rank part
/// makes matrices compressible. Pure.
[[nodiscard]] Gradients gradients_of(const std::vector<compress::Layer>& layers, int rank,
                                     std::int64_t step);

/// The mean over ranks, in float64.
[[nodiscard]] std::map<std::string, std::vector<double>> mean_gradients(
    const std::vector<compress::Layer>& layers, int ranks, std::int64_t step);

/// As compress::make_reducer(), where this rank of the test program computes: reducers_on_host.cpp
/// or reducers_on_devices.cpp.
[[nodiscard]] std::unique_ptr<compress::Reducer> make_reducer_on(
    comm::Communicator& communicator, const compress::CompressionConfig& config, std::uint64_t seed,
    std::vector<compress::PlanRecord> replay = {});

/// One step of `reducer` over the layers, in buckets of `layers_per_bucket`.
/// @return the averages.
[[nodiscard]] Gradients reduce_step(compress::Reducer& reducer,
                                    const std::vector<compress::Layer>& layers,
                                    const Gradients& gradients, std::int64_t step,
                                    std::size_t layers_per_bucket = 100);

/// The same with all buckets of one layer under way at a time. Those that can move on do so in an
/// order that `random` draws, so that ranks differ.
[[nodiscard]] Gradients reduce_step_overlapping(compress::Reducer& reducer,
                                                const std::vector<compress::Layer>& layers,
                                                const Gradients& gradients, std::int64_t step,
                                                Random& random);

/// Hash of names and bits.
[[nodiscard]] std::int64_t hash_of(const Gradients& gradients);

/// A config of `family` with plain settings: every step compressed, all matrices from 64 values on.
[[nodiscard]] compress::CompressionConfig config_of(const std::string& family, double level);

/// One config for each family, with names for messages.
[[nodiscard]] std::vector<std::pair<std::string, compress::CompressionConfig>> all_families();

}  // namespace convoy::tests
