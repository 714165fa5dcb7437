// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/federated/model_update.h"
#include "trainer/models/model.h"

namespace convoy::trainer {

/// Names, types and shapes of a job's model: what a stream of tensors must fit.
struct ModelShape {
  std::vector<std::string> parameter_names;
  std::vector<std::string> buffer_names;
  ModelState like;  ///< for types and shapes
};
[[nodiscard]] ModelShape shape_of(const Model& model);
/// Over names, types and shapes.
[[nodiscard]] std::uint64_t hash_of(const ModelShape& shape);
/// Over the bits of all values.
[[nodiscard]] std::uint64_t hash_of(const ModelState& state);

/// What a stream between a server and a site holds: either a tensor for each parameter, under its
/// name, or one tensor "compressed" of bytes, which a codec has made of them; then each buffer.
struct TensorPack {
  std::vector<torch::Tensor> parameters;  ///< empty where there is a payload
  std::vector<std::byte> payload;
  std::vector<torch::Tensor> buffers;
};

/// The whole stream (docs/protocol.md, section 6). O(bytes).
[[nodiscard]] std::vector<std::byte> to_stream(const TensorPack& pack, const ModelShape& shape);
/// The other way. @throws PayloadError where it is no such stream, or its tensors are not the
/// model's by name, type and shape.
[[nodiscard]] TensorPack from_stream(std::span<const std::byte> stream, const ModelShape& shape);

}  // namespace convoy::trainer
