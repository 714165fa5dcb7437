// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/update_layers.h"

#include "base/errors.h"

namespace convoy::trainer {

std::unique_ptr<const compress::UpdateCodec> make_update_codec(
    const compress::CompressionConfig& config, const std::vector<NamedTensor>& parameters) {
  if (config.family == "none") return nullptr;
  std::vector<compress::UpdateLayer> layers;
  for (const auto& [name, tensor] : parameters) {
    layers.push_back({.name = name, .shape = tensor.sizes().vec(), .numel = tensor.numel()});
  }
  return std::make_unique<const compress::UpdateCodec>(config, std::move(layers));
}

std::vector<float> flatten(const std::vector<torch::Tensor>& tensors) {
  std::vector<float> values;
  for (const auto& tensor : tensors) {
    const auto flat = tensor.to(torch::kFloat).contiguous();
    const auto* begin = flat.data_ptr<float>();
    values.insert(values.end(), begin, begin + flat.numel());
  }
  return values;
}

std::vector<torch::Tensor> unflatten(std::span<const float> values,
                                     const std::vector<torch::Tensor>& like) {
  std::vector<torch::Tensor> tensors;
  for (const auto& pattern : like) {
    const auto count = static_cast<std::size_t>(pattern.numel());
    require(count <= values.size(), "unflatten: too few values");
    auto tensor = torch::empty(pattern.sizes(), torch::kFloat);
    std::copy_n(values.begin(), count, tensor.data_ptr<float>());
    tensors.push_back(tensor.to(pattern.scalar_type()));
    values = values.subspan(count);
  }
  require(values.empty(), "unflatten: too many values");
  return tensors;
}

std::vector<torch::Tensor> decode(const compress::UpdateCodec& codec,
                                  std::span<const std::byte> payload,
                                  const std::vector<torch::Tensor>& like) {
  std::vector<float> values(static_cast<std::size_t>(codec.numel()));
  codec.add_decoded(payload, 1.0F, values);
  return unflatten(values, like);
}

}  // namespace convoy::trainer
