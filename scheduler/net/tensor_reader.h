// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/net/stream_error.h"
#include "scheduler/net/tensor_manifest.h"

namespace convoy::net {

/// Who takes the tensors of a stream.
class TensorSink {
 public:
  virtual ~TensorSink() = default;
  /// Once, before any data. @return why these tensors are not wanted; nothing: they are.
  [[nodiscard]] virtual std::optional<StreamError> begin(const TensorManifest& manifest) = 0;
  /// Bytes of tensors[tensor], from its byte `offset` on, in order; at most as many as were fed.
  virtual void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) = 0;
};

/// Takes a stream of tensors apart as its bytes come, in pieces of any size. Keeps the manifest and
/// none of the data. The first error is the last. One thread.
class TensorReader {
 public:
  /// @param bytes  of the whole stream. Borrows `sink`.
  TensorReader(std::int64_t bytes, TensorSink& sink);

  [[nodiscard]] std::optional<StreamError> feed(std::span<const std::byte> bytes);
  /// Nothing when every tensor is whole.
  [[nodiscard]] std::optional<StreamError> finish();
  [[nodiscard]] const TensorManifest& manifest() const { return manifest_; }

 private:
  std::optional<StreamError> feed_front(std::span<const std::byte>& bytes);
  std::optional<StreamError> begin_data();
  void feed_data(std::span<const std::byte>& bytes);
  void skip_whole_tensors();
  std::optional<StreamError> keep(std::optional<StreamError> error);

  std::int64_t bytes_;
  TensorSink& sink_;
  std::size_t front_size_ = kManifestHeaderBytes;  ///< of the header, then of the manifest
  std::vector<std::byte> front_;                   ///< what has come of it
  bool in_data_ = false;
  TensorManifest manifest_;
  std::size_t tensor_ = 0;
  std::int64_t tensor_bytes_ = 0;
  std::int64_t offset_ = 0;  ///< in the tensor
  std::optional<StreamError> error_;
};

}  // namespace convoy::net
