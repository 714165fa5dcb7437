// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/tensor_streams.h"

#include <spdlog/fmt/fmt.h>

#include <cstring>
#include <variant>

#include "base/errors.h"
#include "base/hash.h"
#include "compress/codec/codec.h"
#include "scheduler/net/tensor_manifest.h"
#include "scheduler/net/tensor_reader.h"

namespace convoy::trainer {
namespace {

using compress::PayloadError;
using net::ElementType;
using net::TensorEntry;
using net::TensorManifest;

constexpr const char* kCompressed = "compressed";

struct TypePair {
  torch::ScalarType torch;
  ElementType wire;
};
constexpr TypePair kTypes[] = {
    {torch::kFloat, ElementType::kFloat32}, {torch::kDouble, ElementType::kFloat64},
    {torch::kHalf, ElementType::kFloat16},  {torch::kBFloat16, ElementType::kBFloat16},
    {torch::kUInt8, ElementType::kUInt8},   {torch::kInt8, ElementType::kInt8},
    {torch::kShort, ElementType::kInt16},   {torch::kInt, ElementType::kInt32},
    {torch::kLong, ElementType::kInt64},    {torch::kBool, ElementType::kBool}};

ElementType wire_type(const torch::Tensor& tensor, const std::string& name) {
  for (const auto& [torch_type, wire] : kTypes) {
    if (tensor.scalar_type() == torch_type) return wire;
  }
  throw ConfigError(fmt::format("the model's {} has a type that cannot be sent: {}", name,
                                torch::toString(tensor.scalar_type())));
}

TensorEntry entry_of(const std::string& name, const torch::Tensor& tensor) {
  return {.name = name, .type = wire_type(tensor, name), .shape = tensor.sizes().vec()};
}

void add_entries(const std::vector<std::string>& names, const std::vector<torch::Tensor>& tensors,
                 TensorManifest& manifest) {
  require(names.size() == tensors.size(), "a pack has other tensors than the model");
  for (std::size_t i = 0; i < names.size(); ++i) {
    manifest.tensors.push_back(entry_of(names[i], tensors[i]));
  }
}

std::span<const std::byte> bytes_of_tensor(const torch::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

void append(std::span<const std::byte> bytes, std::vector<std::byte>& out) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(const std::vector<torch::Tensor>& tensors, std::vector<std::byte>& out) {
  for (const auto& tensor : tensors) append(bytes_of_tensor(tensor.contiguous()), out);
}

std::uint64_t hash_tensors(const std::vector<torch::Tensor>& tensors, std::uint64_t hash) {
  for (const auto& tensor : tensors) hash = hash64(bytes_of_tensor(tensor.contiguous()), hash);
  return hash;
}

}  // namespace

/// Puts what comes where it belongs.
class PackReader::Sink final : public net::TensorSink {
 public:
  explicit Sink(const ModelShape& shape) : shape_(shape) {}

  std::optional<net::StreamError> begin(const TensorManifest& manifest) override {
    const auto& entries = manifest.tensors;
    std::size_t next = 0;
    const bool compressed =
        !entries.empty() && entries[0].name == kCompressed &&
        (shape_.parameter_names.empty() || shape_.parameter_names[0] != kCompressed);
    if (compressed) {
      if (entries[0].type != ElementType::kUInt8 || entries[0].shape.size() != 1) {
        return wrong("its compressed part is no list of bytes");
      }
      pack_.payload.resize(static_cast<std::size_t>(entries[0].shape[0]));
      places_.emplace_back(pack_.payload.data());
      next = 1;
    } else if (auto error = take(entries, next, shape_.parameter_names, shape_.like.parameters,
                                 pack_.parameters)) {
      return error;
    }
    if (auto error = take(entries, next, shape_.buffer_names, shape_.like.buffers, pack_.buffers)) {
      return error;
    }
    if (next != entries.size()) return wrong("it has more tensors than the model");
    return std::nullopt;
  }

  void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(places_[tensor] + offset, bytes.data(), bytes.size());
  }

  [[nodiscard]] TensorPack take_pack() { return std::move(pack_); }

 private:
  static net::StreamError wrong(std::string reason) {
    return {net::StreamFault::kManifest, std::move(reason)};
  }

  std::optional<net::StreamError> take(const std::vector<TensorEntry>& entries, std::size_t& next,
                                       const std::vector<std::string>& names,
                                       const std::vector<torch::Tensor>& like,
                                       std::vector<torch::Tensor>& out) {
    for (std::size_t i = 0; i < names.size(); ++i, ++next) {
      if (next == entries.size()) return wrong("it lacks the model's " + names[i]);
      if (!(entries[next] == entry_of(names[i], like[i]))) {
        return wrong(fmt::format("its tensor {} is not the model's {} by name, type and shape",
                                 next, names[i]));
      }
      out.push_back(torch::empty_like(like[i], torch::MemoryFormat::Contiguous));
      places_.push_back(static_cast<std::byte*>(out.back().data_ptr()));
    }
    return std::nullopt;
  }

  const ModelShape& shape_;
  TensorPack pack_;
  std::vector<std::byte*> places_;  ///< of each tensor's elements
};

ModelShape shape_of(const Model& model) {
  ModelShape shape;
  for (const auto& [name, tensor] : model.parameters()) {
    shape.parameter_names.push_back(name);
    shape.like.parameters.push_back(tensor.detach());
  }
  for (const auto& [name, tensor] : model.buffers()) {
    shape.buffer_names.push_back(name);
    shape.like.buffers.push_back(tensor.detach());
  }
  return shape;
}

std::uint64_t hash_of(const ModelShape& shape) {
  TensorManifest manifest;
  add_entries(shape.parameter_names, shape.like.parameters, manifest);
  add_entries(shape.buffer_names, shape.like.buffers, manifest);
  return hash64(net::encode(manifest), shape.parameter_names.size());
}

std::uint64_t hash_of(const ModelState& state) {
  return hash_tensors(state.buffers, hash_tensors(state.parameters, 0));
}

std::vector<std::byte> to_stream(const TensorPack& pack, const ModelShape& shape) {
  TensorManifest manifest;
  if (pack.parameters.empty() && !shape.parameter_names.empty()) {
    manifest.tensors.push_back({.name = kCompressed,
                                .type = ElementType::kUInt8,
                                .shape = {static_cast<std::int64_t>(pack.payload.size())}});
  } else {
    add_entries(shape.parameter_names, pack.parameters, manifest);
  }
  add_entries(shape.buffer_names, pack.buffers, manifest);
  std::vector<std::byte> out = net::encode(manifest);
  out.reserve(static_cast<std::size_t>(net::stream_bytes(manifest)));
  append(pack.payload, out);
  append(pack.parameters, out);
  append(pack.buffers, out);
  return out;
}

PackReader::PackReader(std::uint64_t bytes, const ModelShape& shape)
    : sink_(std::make_unique<Sink>(shape)),
      reader_(std::make_unique<net::TensorReader>(static_cast<std::int64_t>(bytes), *sink_)) {}

PackReader::~PackReader() = default;

void PackReader::feed(std::span<const std::byte> bytes) {
  if (const auto error = reader_->feed(bytes)) {
    throw PayloadError("this is no model: " + error->reason);
  }
}

TensorPack PackReader::finish() {
  if (const auto error = reader_->finish()) {
    throw PayloadError("this is no model: " + error->reason);
  }
  return sink_->take_pack();
}

TensorPack from_stream(std::span<const std::byte> stream, const ModelShape& shape) {
  PackReader reader(stream.size(), shape);
  reader.feed(stream);
  return reader.finish();
}

}  // namespace convoy::trainer
