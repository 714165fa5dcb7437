// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "trainer/federated/model_update.h"
#include "trainer/sites/sites_config.h"

namespace convoy::trainer {

/// Why an update is over sites.max_update_norm or sites.max_buffer_norm, in one line; nothing where
/// it is not. @param model  the newest one, of the update's shapes.
[[nodiscard]] std::optional<std::string> excess_of(const ModelUpdate& update,
                                                   const ModelState& model,
                                                   const SitesConfig& bounds);

}  // namespace convoy::trainer
