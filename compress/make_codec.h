// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compress/codec/codec.h"
#include "compress/compression_config.h"

namespace convoy::compress {

/// The codec of `config`'s family, which must be "half", "quantize" or "top_k": `power_sgd` needs
/// its ranks' help while encoding and has none. `config` has been checked.
/// @throws ContractError for another family.
[[nodiscard]] std::shared_ptr<const Codec> make_codec(const CompressionConfig& config);

}  // namespace convoy::compress
