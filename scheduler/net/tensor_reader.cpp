// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/tensor_reader.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace convoy::net {

TensorReader::TensorReader(std::int64_t bytes, TensorSink& sink) : bytes_(bytes), sink_(sink) {}

std::optional<StreamError> TensorReader::feed(std::span<const std::byte> bytes) {
  if (error_) return error_;
  while (!in_data_ && !bytes.empty()) {
    if (auto error = feed_front(bytes)) return keep(std::move(error));
  }
  if (in_data_) feed_data(bytes);
  if (bytes.empty()) return std::nullopt;
  return keep(StreamError{StreamFault::kOverrun, "bytes follow the last tensor"});
}

std::optional<StreamError> TensorReader::finish() {
  if (error_) return error_;
  if (in_data_ && tensor_ == manifest_.tensors.size()) return std::nullopt;
  return keep(StreamError{StreamFault::kIncomplete,
                          fmt::format("the stream ended {} bytes into tensor {} of {}", offset_,
                                      tensor_, manifest_.tensors.size())});
}

/// First the header, which says how long the manifest is, then the rest of that.
std::optional<StreamError> TensorReader::feed_front(std::span<const std::byte>& bytes) {
  const std::size_t count = std::min(front_size_ - front_.size(), bytes.size());
  front_.insert(front_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
  if (front_.size() < front_size_) return std::nullopt;
  if (front_size_ == kManifestHeaderBytes) {
    const auto size = manifest_size(front_);
    if (const auto* error = std::get_if<StreamError>(&size)) return *error;
    front_size_ = std::get<std::size_t>(size);
    if (front_.size() < front_size_) return std::nullopt;
  }
  return begin_data();
}

std::optional<StreamError> TensorReader::begin_data() {
  auto parsed = parse_manifest(front_);
  if (const auto* error = std::get_if<StreamError>(&parsed)) return *error;
  manifest_ = std::get<TensorManifest>(std::move(parsed));
  front_ = {};
  const std::int64_t sum = static_cast<std::int64_t>(front_size_) + data_bytes(manifest_);
  if (sum != bytes_) {
    return StreamError{StreamFault::kTotals,
                       fmt::format("{} tensors make a stream of {} bytes, announced were {}",
                                   manifest_.tensors.size(), sum, bytes_)};
  }
  if (auto error = sink_.begin(manifest_)) return error;
  in_data_ = true;
  skip_whole_tensors();
  return std::nullopt;
}

void TensorReader::feed_data(std::span<const std::byte>& bytes) {
  while (!bytes.empty() && tensor_ < manifest_.tensors.size()) {
    const auto count =
        static_cast<std::size_t>(std::min(tensor_bytes_ - offset_, std::ssize(bytes)));
    sink_.data(tensor_, offset_, bytes.first(count));
    bytes = bytes.subspan(count);
    offset_ += static_cast<std::int64_t>(count);
    if (offset_ < tensor_bytes_) return;
    ++tensor_;
    skip_whole_tensors();
  }
}

/// Those without elements, after which the next one begins.
void TensorReader::skip_whole_tensors() {
  offset_ = 0;
  tensor_bytes_ = 0;
  while (tensor_ < manifest_.tensors.size()) {
    tensor_bytes_ = bytes_of(manifest_.tensors[tensor_]);
    if (tensor_bytes_ > 0) return;
    ++tensor_;
  }
}

std::optional<StreamError> TensorReader::keep(std::optional<StreamError> error) {
  error_ = std::move(error);
  return error_;
}

}  // namespace convoy::net
