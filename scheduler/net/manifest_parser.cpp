// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/little_endian.h"
#include "scheduler/net/internal/manifest_layout.h"

namespace convoy::net {
namespace {

using internal::get;

StreamError bad(std::string reason) {
  return {.fault = StreamFault::kManifest, .reason = std::move(reason)};
}

/// Cuts entries off the front of `bytes`. The first problem is the last.
class EntryParser {
 public:
  explicit EntryParser(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::optional<TensorEntry> next() {
    const auto header = take(internal::kEntryHeaderBytes);
    if (header.empty()) return std::nullopt;
    const auto type = get<std::uint8_t>(header);
    const std::size_t dimensions = get<std::uint8_t>(header.subspan(1));
    const std::size_t name_bytes = get<std::uint16_t>(header.subspan(2));
    if (type < 1 || type > static_cast<std::uint8_t>(kLastElementType)) {
      return fail(fmt::format("has elements of the unknown type {}", type));
    }
    if (dimensions > kMaxTensorDimensions)
      return fail(fmt::format("has {} dimensions", dimensions));
    if (name_bytes < 1 || name_bytes > kMaxTensorNameBytes) {
      return fail(fmt::format("has a name of {} bytes", name_bytes));
    }
    TensorEntry entry{.type = static_cast<ElementType>(type)};
    const auto name = take(name_bytes);
    const auto shape = take(8 * dimensions);
    if (!problem_.empty()) return std::nullopt;
    entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    const bool printable = std::all_of(entry.name.begin(), entry.name.end(),
                                       [](char c) { return c > 0x20 && c < 0x7f; });
    if (!printable) return fail("has a name that is not printable");
    for (std::size_t i = 0; i < dimensions; ++i) {
      const auto size = get<std::uint64_t>(shape.subspan(8 * i));
      if (size > std::numeric_limits<std::int64_t>::max()) return fail("has a size beyond 2^63");
      entry.shape.push_back(static_cast<std::int64_t>(size));
    }
    return entry;
  }

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  /// Empty for 0 bytes, and with a problem where there are too few.
  std::span<const std::byte> take(std::size_t count) {
    if (count > bytes_.size()) {
      fail("is cut");
      return {};
    }
    const auto front = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return front;
  }

  std::optional<TensorEntry> fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return std::nullopt;
  }

  std::span<const std::byte> bytes_;
  std::string problem_;
};

}  // namespace

std::variant<std::size_t, StreamError> manifest_size(std::span<const std::byte> header) {
  require(header.size() >= kManifestHeaderBytes, "manifest_size: this is no whole header");
  if (!std::equal(internal::kManifestMagic.begin(), internal::kManifestMagic.end(),
                  header.begin())) {
    return bad("the stream does not begin with a list of tensors");
  }
  const std::size_t size = get<std::uint32_t>(header.subspan(internal::kManifestSizeAt));
  if (size < kManifestHeaderBytes || size > kMaxManifestBytes) {
    return bad(fmt::format("the list of tensors would have {} bytes", size));
  }
  return size;
}

std::variant<TensorManifest, StreamError> parse_manifest(std::span<const std::byte> bytes) {
  if (bytes.size() < kManifestHeaderBytes) return bad("the list of tensors is cut");
  const auto size = manifest_size(bytes);
  if (const auto* error = std::get_if<StreamError>(&size)) return *error;
  if (std::get<std::size_t>(size) != bytes.size()) return bad("the list of tensors is cut");
  const auto count = get<std::uint32_t>(bytes.subspan(internal::kTensorCountAt));
  const auto total = get<std::uint64_t>(bytes.subspan(internal::kDataBytesAt));

  TensorManifest manifest;
  EntryParser parser(bytes.subspan(kManifestHeaderBytes));
  std::unordered_set<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto entry = parser.next();
    if (!entry) return bad(fmt::format("tensor {} of {} {}", i, count, parser.problem()));
    if (!names.insert(entry->name).second) {
      return bad(fmt::format("tensor {} of {} has the name of another one", i, count));
    }
    manifest.tensors.push_back(std::move(*entry));
  }
  if (!parser.at_end()) return bad(fmt::format("bytes follow the last of {} tensors", count));
  const auto sum = internal::checked_bytes(manifest);
  if (!sum || static_cast<std::uint64_t>(*sum) != total) {
    return StreamError{StreamFault::kTotals,
                       fmt::format("{} tensors are not of {} bytes", count, total)};
  }
  return manifest;
}

}  // namespace convoy::net
