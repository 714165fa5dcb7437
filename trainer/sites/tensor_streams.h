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

namespace convoy::net {
class TensorReader;
}  // namespace convoy::net

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
/// The other way, as the bytes come: the pack is the only copy of them.
class PackReader {
 public:
  /// @param bytes  of the whole stream. Borrows `shape`.
  PackReader(std::uint64_t bytes, const ModelShape& shape);
  ~PackReader();
  PackReader(const PackReader&) = delete;
  PackReader& operator=(const PackReader&) = delete;

  /// @throws PayloadError as from_stream(), as soon as that is known.
  void feed(std::span<const std::byte> bytes);
  /// @throws PayloadError where bytes are missing.
  [[nodiscard]] TensorPack finish();

 private:
  class Sink;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<net::TensorReader> reader_;
};
/// The other way, at once. @throws PayloadError where it is no such stream, or its tensors are not
/// the model's by name, type and shape.
[[nodiscard]] TensorPack from_stream(std::span<const std::byte> stream, const ModelShape& shape);

}  // namespace convoy::trainer
