// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "scheduler/net/stream_receiver.h"
#include "scheduler/net/stream_sender.h"
#include "scheduler/net/tensor_reader.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {

/// A stream in memory.
inline StreamSource source_of(const Bytes& bytes) {
  return [&bytes](std::int64_t offset, std::span<std::byte> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = bytes.at(static_cast<std::size_t>(offset) + i);
    }
  };
}

/// `count` bytes, of which neighbours differ.
inline Bytes pattern(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

/// Keeps what it is given.
struct KeepingSink : TensorSink {
  std::optional<StreamError> begin(const TensorManifest& all) override {
    ++begun;
    manifest = all;
    tensors.resize(all.tensors.size());
    return refusal;
  }
  void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) override {
    in_order = in_order && offset == std::ssize(tensors.at(tensor));
    tensors.at(tensor).insert(tensors.at(tensor).end(), bytes.begin(), bytes.end());
  }

  int begun = 0;
  bool in_order = true;
  TensorManifest manifest;
  std::vector<Bytes> tensors;
  std::optional<StreamError> refusal;
};

}  // namespace convoy::net
