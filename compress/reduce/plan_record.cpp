// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/plan_record.h"

#include <span>

#include "base/hash.h"
#include "compress/plan/plan.h"

namespace convoy::compress {

std::string plan_hash(const std::vector<PlannedLayer>& layers) {
  std::string text;
  for (const PlannedLayer& layer : layers) text += hash_text(layer.name, layer.level);
  return to_hex(hash64(std::as_bytes(std::span(text))));
}

}  // namespace convoy::compress
