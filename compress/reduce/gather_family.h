// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/reduce/family.h"

namespace convoy::compress {

/// Serves any Codec, a user's own too: every rank sends its whole payload to all others, and all
/// add them up in rank order. Family `top_k`. Payloads may differ in size: one small message a
/// bucket tells the sizes, one carries the payloads.
class GatherFamily final : public Family {
 public:
  GatherFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec);

  [[nodiscard]] std::string_view name() const override { return codec_->family(); }
  void check_level(Level level) const override { codec_->check_level(level); }
  void reduce(std::span<const Item> items) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) override;

 private:
  /// @return bytes of each item's payload, which outgoing_ then holds one after the other.
  [[nodiscard]] std::vector<std::int64_t> encode(std::span<const Item> items);
  void exchange(const Item& first, const std::vector<std::int64_t>& counts);
  void add_up(std::span<const Item> items, std::span<const std::int64_t> sizes);

  comm::Communicator& communicator_;
  std::shared_ptr<const Codec> codec_;                    // shared with the user who made it
  using Bytes = std::shared_ptr<std::vector<std::byte>>;  // shared with transfers under way
  Bytes outgoing_ = std::make_shared<std::vector<std::byte>>();
  Bytes incoming_ = std::make_shared<std::vector<std::byte>>();
};

}  // namespace convoy::compress
