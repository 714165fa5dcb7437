// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "compress/update/update_codec.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// The codec of a federation's updates; nothing where `config` compresses nothing.
/// @throws ConfigError as UpdateCodec.
[[nodiscard]] std::unique_ptr<const compress::UpdateCodec> make_update_codec(
    const compress::CompressionConfig& config, const std::vector<NamedTensor>& parameters);

/// All values, one tensor after the other, as float32.
[[nodiscard]] std::vector<float> flatten(const std::vector<torch::Tensor>& tensors);

/// New tensors with shapes and types of `like`. @throws ContractError for another number of values.
[[nodiscard]] std::vector<torch::Tensor> unflatten(std::span<const float> values,
                                                   const std::vector<torch::Tensor>& like);

/// What a payload stands for. @throws PayloadError.
[[nodiscard]] std::vector<torch::Tensor> decode(const compress::UpdateCodec& codec,
                                                std::span<const std::byte> payload,
                                                const std::vector<torch::Tensor>& like);

}  // namespace convoy::trainer
