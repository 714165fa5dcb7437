// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/tensor_manifest.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/little_endian.h"
#include "scheduler/net/internal/manifest_layout.h"

namespace convoy::net {
namespace {

struct TypeRow {
  std::string_view text;
  std::int64_t bytes;
};
constexpr std::array<TypeRow, static_cast<std::size_t>(kLastElementType) + 1> kTypes{{
    {"unknown", 0},
    {"float32", 4},
    {"float64", 8},
    {"float16", 2},
    {"bfloat16", 2},
    {"uint8", 1},
    {"int8", 1},
    {"int16", 2},
    {"int32", 4},
    {"int64", 8},
    {"bool", 1},
}};

const TypeRow& row_of(ElementType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kTypes.size() ? kTypes[index] : kTypes[0];
}

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  const std::size_t end = out.size();
  out.resize(end + bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(end));
}

template <typename T>
void append(std::vector<std::byte>& out, T value) {
  const std::size_t end = out.size();
  out.resize(end + sizeof(T));
  internal::put(value, std::span(out).subspan(end));
}

void append(std::vector<std::byte>& out, const TensorEntry& tensor) {
  append(out, static_cast<std::uint8_t>(tensor.type));
  append(out, static_cast<std::uint8_t>(tensor.shape.size()));
  append(out, static_cast<std::uint16_t>(tensor.name.size()));
  append(out, std::as_bytes(std::span(tensor.name)));
  for (const auto size : tensor.shape) append(out, static_cast<std::uint64_t>(size));
}

}  // namespace

std::string_view to_text(ElementType type) { return row_of(type).text; }

std::int64_t bytes_of(ElementType type) { return row_of(type).bytes; }

namespace internal {

std::optional<std::int64_t> checked_bytes(const TensorEntry& tensor) {
  std::int64_t bytes = bytes_of(tensor.type);
  // In order of the dimensions an empty tensor could overflow before its 0.
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
  for (const auto size : tensor.shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return bytes;
}

std::optional<std::int64_t> checked_bytes(const TensorManifest& manifest) {
  std::int64_t sum = 0;
  for (const auto& tensor : manifest.tensors) {
    const auto bytes = checked_bytes(tensor);
    if (!bytes || __builtin_add_overflow(sum, *bytes, &sum)) return std::nullopt;
  }
  // The manifest comes on top.
  if (sum > std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(kMaxManifestBytes))
    return std::nullopt;
  return sum;
}

}  // namespace internal

std::int64_t bytes_of(const TensorEntry& tensor) {
  const auto bytes = internal::checked_bytes(tensor);
  require(bytes.has_value(), "a tensor with a size below 0 or beyond 2^63");
  return *bytes;
}

std::int64_t data_bytes(const TensorManifest& manifest) {
  const auto bytes = internal::checked_bytes(manifest);
  require(bytes.has_value(), "tensors with a size below 0 or beyond 2^63");
  return *bytes;
}

std::vector<std::byte> encode(const TensorManifest& manifest) {
  std::vector<std::byte> out;
  append(out, std::span<const std::byte>(internal::kManifestMagic));
  append(out, std::uint32_t{0});
  append(out, static_cast<std::uint32_t>(manifest.tensors.size()));
  append(out, static_cast<std::uint64_t>(data_bytes(manifest)));
  for (const auto& tensor : manifest.tensors) append(out, tensor);
  require(out.size() <= kMaxManifestBytes, "a manifest is at most 1 MiB");
  internal::put(static_cast<std::uint32_t>(out.size()),
                std::span(out).subspan(internal::kManifestSizeAt));
  const auto parsed = parse_manifest(out);
  const auto* error = std::get_if<StreamError>(&parsed);
  require(error == nullptr, error == nullptr ? "" : error->reason);
  return out;
}

std::int64_t stream_bytes(const TensorManifest& manifest) {
  return static_cast<std::int64_t>(encode(manifest).size()) + data_bytes(manifest);
}

StreamSource tensor_source(const TensorManifest& manifest, StreamSource data) {
  // Shared by the copies of the function.
  const auto front = std::make_shared<const std::vector<std::byte>>(encode(manifest));
  return [front, data = std::move(data)](std::int64_t offset, std::span<std::byte> out) {
    const std::int64_t left = std::max<std::int64_t>(0, std::ssize(*front) - offset);
    const auto count = static_cast<std::size_t>(std::min(left, std::ssize(out)));
    if (count > 0) std::copy_n(front->begin() + offset, count, out.begin());
    out = out.subspan(count);
    if (!out.empty()) data(offset + static_cast<std::int64_t>(count) - std::ssize(*front), out);
  };
}

}  // namespace convoy::net
