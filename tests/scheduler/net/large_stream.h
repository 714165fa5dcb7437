// SPDX-License-Identifier: Apache-2.0
// 5 GiB that lie nowhere: made where they are sent, looked at and dropped where they arrive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "scheduler/net/tensor_manifest.h"
#include "scheduler/net/tensor_reader.h"

namespace convoy::net {

inline constexpr std::int64_t kGiB = std::int64_t{1} << 30;

inline TensorManifest large_manifest() {
  return {{{"first", ElementType::kFloat32, {1000, 333}},
           {"large", ElementType::kFloat32, {9 * kGiB / 8}},
           {"last", ElementType::kUInt8, {kGiB / 2 - 1332000}}}};
}

/// Of the stream of large_manifest() and generate(), from a few lines of Python that know nothing
/// of this program.
inline Sha256 large_sha256() {
  return sha256_from_hex("0f1f0f26dbdfe79f963d3b8ca80595d7fc18d9041e9afd5c26211a07a3fa537e")
      .value();
}

/// A line of /proc/self/status, in bytes.
inline std::int64_t memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
  }
  return -1;
}

/// Every 4 KiB begin with their own number; the rest of them is one byte over and over.
inline void generate(std::int64_t offset, std::span<std::byte> out) {
  constexpr std::int64_t kBlock = 4096;
  while (!out.empty()) {
    const std::int64_t number = offset / kBlock;
    const std::int64_t start = offset % kBlock;
    const auto count = static_cast<std::size_t>(std::min(kBlock - start, std::ssize(out)));
    std::memset(out.data(), static_cast<int>(number % 251), count);
    for (std::int64_t i = start; i < 8 && i - start < static_cast<std::int64_t>(count); ++i) {
      out[static_cast<std::size_t>(i - start)] = static_cast<std::byte>(number >> (8 * i));
    }
    out = out.subspan(count);
    offset += static_cast<std::int64_t>(count);
  }
}

/// Counts, and looks at the number that stands at the front of what it gets now and then.
struct DiscardingSink : TensorSink {
  std::optional<StreamError> begin(const TensorManifest& manifest) override {
    starts.assign(manifest.tensors.size(), 0);
    for (std::size_t i = 1; i < starts.size(); ++i) {
      starts[i] = starts[i - 1] + bytes_of(manifest.tensors[i - 1]);
    }
    return std::nullopt;
  }
  void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) override {
    const std::int64_t place = starts[tensor] + offset;
    if (place != bytes_seen) in_order = false;
    bytes_seen += std::ssize(bytes);
    const std::int64_t block = (place + 4095) / 4096;
    const std::int64_t at = block * 4096 - place;
    if (at + 8 > std::ssize(bytes)) return;
    std::int64_t number = -1;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    if (number != block) in_order = false;
  }
  std::vector<std::int64_t> starts;
  std::int64_t bytes_seen = 0;
  bool in_order = true;
};

}  // namespace convoy::net
