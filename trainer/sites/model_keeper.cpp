// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/model_keeper.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "compress/codec/codec.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {

using compress::PayloadError;

ModelKeeper::ModelKeeper(const ModelShape& shape, const compress::UpdateCodec* codec)
    : shape_(shape) {
  if (codec != nullptr) follower_.emplace(*codec);
}

void ModelKeeper::take(std::span<const std::byte> stream, std::int64_t version,
                       std::uint64_t hash) {
  version_.reset();
  try {
    state_ = read(stream, version);
    if (hash_of(state_) != hash) {
      throw PayloadError(fmt::format("version {} has other bits than the server's", version));
    }
  } catch (const PayloadError&) {
    if (follower_) follower_->reset();
    throw;
  }
  version_ = version;
  hash_ = hash;
}

ModelState ModelKeeper::read(std::span<const std::byte> stream, std::int64_t version) {
  TensorPack pack = from_stream(stream, shape_);
  if (pack.parameters.empty() && !shape_.parameter_names.empty()) {
    if (!follower_) throw PayloadError("the model comes compressed, and the job has none of that");
    follower_->follow(pack.payload);
    if (follower_->version() != version) {
      throw PayloadError(fmt::format("version {} came where {} was announced",
                                     follower_->version().value(), version));
    }
    pack.parameters = unflatten(follower_->values(), shape_.like.parameters);
  } else if (follower_) {
    follower_->hold(version, flatten(pack.parameters));
  }
  return {.parameters = std::move(pack.parameters), .buffers = std::move(pack.buffers)};
}

}  // namespace convoy::trainer
