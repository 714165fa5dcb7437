// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/compression_config.h"
#include "compress/reduce/host_executor.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress {

/// Makes a Reducer on a communicator that it may borrow: what trainer::DataParallel asks for.
/// Collective.
using ReducerFactory = std::function<std::unique_ptr<Reducer>(comm::Communicator& communicator)>;

/// What `config` describes: dense averaging for family "none".
/// @param seed    of stochastic rounding and of new power_sgd columns; equal on all ranks.
/// @param replay  plans of an earlier run (read_plans()) to follow instead of making any.
/// @param executors  where gradients that are compressed lie; a communicator for a device's memory
///                   must wait for what `reducing` has queued. Of one Reducer.
/// @throws ConfigError for a config that cannot be; now, not when the factory is called.
[[nodiscard]] ReducerFactory make_reducer(const CompressionConfig& config, std::uint64_t seed,
                                          std::vector<PlanRecord> replay = {},
                                          Executors executors = host_executors());

/// The same with a codec of the user's own, which all ranks gather (GatherFamily). `config.level`
/// and `config.candidates` are levels of the codec and must be given; `config.family` is not read.
/// @throws ContractError when the codec has no such level; ConfigError as above.
[[nodiscard]] ReducerFactory make_reducer(std::shared_ptr<const Codec> codec,
                                          const CompressionConfig& config, std::uint64_t seed,
                                          Executors executors = host_executors());

/// What `config` describes, among hosts that hold several ranks (NodeReducer). @param host  the
/// ranks of this rank's host, in the order of all ranks; borrowed by what the factory makes.
[[nodiscard]] ReducerFactory make_node_reducer(const CompressionConfig& config, std::uint64_t seed,
                                               comm::Communicator& host,
                                               std::vector<PlanRecord> replay = {});

}  // namespace convoy::compress
