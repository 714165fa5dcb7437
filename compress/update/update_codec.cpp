// SPDX-License-Identifier: Apache-2.0
#include "compress/update/update_codec.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "compress/make_codec.h"
#include "compress/update/internal/byte_stream.h"

namespace convoy::compress {
namespace {

constexpr std::uint32_t kMagic = 0x50554356;  // bytes V C U P
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 2 * sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kLayerHeaderBytes = sizeof(double) + sizeof(std::uint64_t);

std::uint64_t hash_of(const std::vector<UpdateLayer>& layers) {
  std::string text;
  for (const UpdateLayer& layer : layers) {
    text += std::to_string(layer.name.size()) + ":" + layer.name + "=" +
            std::to_string(layer.numel) + "\n";
  }
  return hash64(std::as_bytes(std::span(text)));
}

void add_dense(std::span<const std::byte> payload, float scale, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    float value = 0.0F;
    std::memcpy(&value, payload.data() + i * sizeof(float), sizeof(float));
    out[i] += scale * value;
  }
}

}  // namespace

UpdateCodec::UpdateCodec(const CompressionConfig& config, std::vector<UpdateLayer> layers)
    : config_(config),
      request_(plan_request(config)),
      layers_(std::move(layers)),
      layout_hash_(hash_of(layers_)) {
  check(config_);
  require_config(config_.family != "power_sgd",
                 "compression.family = \"power_sgd\" is for data-parallel gradients: updates of "
                 "clients are compressed by \"top_k\", \"quantize\" or \"half\"");
  require_config(config_.objective == "bytes",
                 "compression.objective = \"time\" is for data-parallel gradients: leave it out for "
                 "updates of clients");
  if (config_.family != "none") codec_ = make_codec(config_);
  for (const UpdateLayer& layer : layers_) {
    numel_ += layer.numel;
    compresses_.push_back(codec_ != nullptr && layer.numel > 0 &&
                          compresses(config_, layer.name, layer.shape, layer.numel));
  }
}

std::size_t UpdateCodec::dense_bytes() const {
  return kHeaderBytes + layers_.size() * kLayerHeaderBytes +
         static_cast<std::size_t>(numel_) * sizeof(float);
}

std::vector<Level> UpdateCodec::plan(std::span<const float> values) const {
  std::vector<Level> levels(layers_.size());
  Table table;
  std::vector<std::size_t> planned;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto layer = values.first(static_cast<std::size_t>(layers_[i].numel));
    values = values.subspan(layer.size());
    if (!compresses_[i]) continue;
    levels[i] = request_.budget.reference;
    if (!plans_levels(config_)) continue;
    planned.push_back(i);
    table.push_back(
        {layers_[i].name, layers_[i].numel, codec_->levels(layer, request_.candidates)});
    request_.prepare(table.back(), layer);
  }
  if (table.empty()) return levels;
  const Choice choice = lgreco(table, max_error(table, request_.budget), request_.budget.metric);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    levels[planned[i]] = table[i].levels[choice.levels[i]].level;
  }
  return levels;
}

std::vector<std::byte> UpdateCodec::encode(std::span<const float> values, std::uint64_t key) const {
  require(std::ssize(values) == numel_, "UpdateCodec::encode: another number of values");
  internal::ByteWriter out;
  out.put(kMagic);
  out.put(kVersion);
  out.put(layout_hash_);
  const auto levels = plan(values);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto layer = values.first(static_cast<std::size_t>(layers_[i].numel));
    values = values.subspan(layer.size());
    out.put(levels[i].value());
    if (levels[i].is_dense()) {
      out.put(std::uint64_t{layer.size_bytes()});
      out.put_bytes(std::as_bytes(layer));
      continue;
    }
    internal::ByteWriter payload;
    const auto room = payload.grow(codec_->max_bytes(layers_[i].numel, levels[i]));
    const auto used = codec_->encode(layer, levels[i], mix({key, i}), room);
    out.put(std::uint64_t{used});
    out.put_bytes(room.first(used));
  }
  return out.take();
}

/// Calls visit(index of the layer, level, payload).
template <typename Visit>
void UpdateCodec::for_each_layer(std::span<const std::byte> payload, Visit&& visit) const {
  internal::ByteReader in(payload);
  if (in.get<std::uint32_t>() != kMagic) throw PayloadError("the bytes are no update");
  const auto version = in.get<std::uint32_t>();
  if (version != kVersion) {
    throw PayloadError("the update has format " + std::to_string(version) + ", not " +
                       std::to_string(kVersion));
  }
  if (in.get<std::uint64_t>() != layout_hash_) {
    throw PayloadError("the update is of a model with other layers");
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto value = in.get<double>();
    const auto bytes = in.get<std::uint64_t>();
    if (!(value > 0.0)) throw PayloadError(layers_[i].name + ": not a level");
    const Level level = std::isinf(value) ? Level::dense() : Level(value);
    const std::size_t dense = static_cast<std::size_t>(layers_[i].numel) * sizeof(float);
    if (level.is_dense() ? bytes != dense : codec_ == nullptr) {
      throw PayloadError(layers_[i].name + ": " + std::to_string(bytes) +
                         " bytes do not fit its level");
    }
    visit(i, level, in.take(bytes));
  }
  if (!in.at_end()) throw PayloadError("the update has bytes behind its last layer");
}

void UpdateCodec::add_decoded(std::span<const std::byte> payload, float scale,
                              std::span<float> out) const {
  require(std::ssize(out) == numel_, "UpdateCodec::add_decoded: another number of values");
  for_each_layer(payload, [&](std::size_t i, Level level, std::span<const std::byte> bytes) {
    const auto values = out.first(static_cast<std::size_t>(layers_[i].numel));
    out = out.subspan(values.size());
    if (level.is_dense()) {
      add_dense(bytes, scale, values);
    } else {
      codec_->add_decoded(bytes, scale, values);
    }
  });
}

std::vector<Level> UpdateCodec::levels(std::span<const std::byte> payload) const {
  std::vector<Level> levels;
  for_each_layer(payload, [&](std::size_t, Level level, std::span<const std::byte>) {
    levels.push_back(level);
  });
  return levels;
}

}  // namespace convoy::compress
