// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/stream_error.h"

namespace convoy::net {

std::string_view to_text(StreamFault fault) {
  switch (fault) {
    case StreamFault::kOffset:
      return "offset";
    case StreamFault::kBeyondLimit:
      return "beyond limit";
    case StreamFault::kOverrun:
      return "overrun";
    case StreamFault::kIncomplete:
      return "incomplete";
    case StreamFault::kHash:
      return "hash";
    case StreamFault::kManifest:
      return "manifest";
    case StreamFault::kTotals:
      return "totals";
  }
  return "unknown";
}

}  // namespace convoy::net
