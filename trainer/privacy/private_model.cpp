// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/private_model.h"

#include "base/errors.h"

namespace convoy::trainer::privacy {

void require_private(const Model& model) {
  const auto buffers = model.buffers();
  if (buffers.empty()) return;
  throw ConfigError("[privacy] cannot be had with a model that has buffers, such as \"" +
                    buffers.front().name +
                    "\": BatchNorm's statistics and other buffers come from the data without "
                    "noise (mlp, cnn, transformer and vit have none)");
}

std::int64_t numel_of(const Model& model) {
  std::int64_t numel = 0;
  for (const auto& [name, tensor] : model.parameters()) numel += tensor.numel();
  return numel;
}

}  // namespace convoy::trainer::privacy
