// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/reduce/reducer_kit.h"

namespace convoy::tests {

std::unique_ptr<compress::Reducer> make_reducer_on(comm::Communicator& communicator,
                                                   const compress::CompressionConfig& config,
                                                   std::uint64_t seed,
                                                   std::vector<compress::PlanRecord> replay) {
  return compress::make_reducer(config, seed, std::move(replay))(communicator);
}

}  // namespace convoy::tests
