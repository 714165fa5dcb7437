// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/frame.h"

namespace convoy::net {

std::string_view to_text(FrameFault fault) {
  switch (fault) {
    case FrameFault::kGarbage:
      return "garbage";
    case FrameFault::kDamaged:
      return "damaged";
    case FrameFault::kUnsupported:
      return "unsupported";
    case FrameFault::kOversized:
      return "oversized";
    case FrameFault::kReplayed:
      return "replayed";
    case FrameFault::kTruncated:
      return "truncated";
  }
  return "unknown";
}

}  // namespace convoy::net
