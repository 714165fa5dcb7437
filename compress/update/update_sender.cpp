// SPDX-License-Identifier: Apache-2.0
#include "compress/update/update_sender.h"

#include <functional>
#include <utility>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::compress {

UpdateSender::UpdateSender(const UpdateCodec& codec, std::uint64_t seed)
    : codec_(codec), seed_(seed), residual_(static_cast<std::size_t>(codec.numel())) {}

std::vector<std::byte> UpdateSender::send(std::span<const float> delta, std::int64_t round) {
  require(delta.size() == residual_.size(), "UpdateSender::send: another number of values");
  for (std::size_t i = 0; i < delta.size(); ++i) residual_[i] += delta[i];
  auto payload = codec_.encode(residual_, mix({seed_, static_cast<std::uint64_t>(round)}));
  codec_.add_decoded(payload, -1.0F, residual_);
  return payload;
}

void UpdateSender::take_back(std::span<const std::byte> payload) {
  codec_.add_decoded(payload, 1.0F, residual_);
}

void UpdateSender::restore(std::vector<float> residual) {
  require_config(residual.size() == residual_.size(),
                 "the checkpoint's residual is of another model");
  residual_ = std::move(residual);
}

}  // namespace convoy::compress
