// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/errors.h"
#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// Runs `decode`; a damaged payload becomes a CommError that names the rank that sent it.
template <typename Decode>
void naming_sender(const comm::Communicator& communicator, int sender, const Layer& layer,
                   const Decode& decode) {
  try {
    decode();
  } catch (const PayloadError& error) {
    throw CommError("rank " + std::to_string(communicator.rank()) + "/" +
                    std::to_string(communicator.size()) + ", layer " + layer.name + " from rank " +
                    std::to_string(sender) + ": " + error.what());
  }
}

}  // namespace convoy::compress::internal
