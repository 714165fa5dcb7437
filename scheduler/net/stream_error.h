// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::net {

/// What can be wrong with a stream.
enum class StreamFault : std::uint8_t {
  kOffset,       ///< a chunk, or an offset to start from, that is not the next one
  kBeyondLimit,  ///< more than was allowed so far
  kOverrun,      ///< more than was announced
  kIncomplete,   ///< ended before everything had come
  kHash,         ///< other bytes than announced
  kManifest,     ///< the list of tensors is none
  kTotals,       ///< the tensors' sizes do not add up to the stream's
};

/// "offset", "beyond limit", "overrun", "incomplete", "hash", "manifest" or "totals".
[[nodiscard]] std::string_view to_text(StreamFault fault);

/// Why a stream is of no use. The connection may go on.
struct StreamError {
  StreamFault fault{};
  std::string reason;  ///< for logs; holds nothing that the peer has written but numbers
};

}  // namespace convoy::net
