// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/net/stream_error.h"
#include "scheduler/net/stream_sender.h"

namespace convoy::net {

/// Numbers are part of the protocol.
enum class ElementType : std::uint8_t {
  kFloat32 = 1,
  kFloat64,
  kFloat16,
  kBFloat16,
  kUInt8,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kBool,
};
inline constexpr ElementType kLastElementType = ElementType::kBool;

/// "float32", ...
[[nodiscard]] std::string_view to_text(ElementType type);
[[nodiscard]] std::int64_t bytes_of(ElementType type);

struct TensorEntry {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<std::int64_t> shape;
  bool operator==(const TensorEntry&) const = default;
};

/// What a stream of tensors holds, in this order. The stream is the encoded manifest, then the
/// elements of each tensor, little-endian, row by row, nothing in between.
struct TensorManifest {
  std::vector<TensorEntry> tensors;
  bool operator==(const TensorManifest&) const = default;
};

inline constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20;
/// Before the first entry.
inline constexpr std::size_t kManifestHeaderBytes = 20;
inline constexpr std::size_t kMaxTensorNameBytes = 255;
inline constexpr std::size_t kMaxTensorDimensions = 16;

/// @throws ContractError for sizes beyond 2^63.
[[nodiscard]] std::int64_t bytes_of(const TensorEntry& tensor);
[[nodiscard]] std::int64_t data_bytes(const TensorManifest& manifest);

/// @throws ContractError for a manifest that parse_manifest() would refuse.
[[nodiscard]] std::vector<std::byte> encode(const TensorManifest& manifest);

/// How long the whole manifest is, by its first kManifestHeaderBytes.
[[nodiscard]] std::variant<std::size_t, StreamError> manifest_size(
    std::span<const std::byte> header);
/// `bytes` is the whole manifest. Takes memory in proportion to them.
[[nodiscard]] std::variant<TensorManifest, StreamError> parse_manifest(
    std::span<const std::byte> bytes);

/// The size of the stream of these tensors, and its bytes. @param data  the tensors' bytes, one
/// after the other, `offset` counted from the first tensor's first.
[[nodiscard]] std::int64_t stream_bytes(const TensorManifest& manifest);
[[nodiscard]] StreamSource tensor_source(const TensorManifest& manifest, StreamSource data);

}  // namespace convoy::net
