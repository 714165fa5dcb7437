// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/reduce/family.h"

namespace convoy::compress {

/// Families `quantize` and `half`: every layer is cut into one chunk per rank. First hop: each rank
/// sends everybody the encoded chunk that the receiver owns; the owner adds them in rank order in
/// float32, its own unencoded. Second hop: it encodes the mean again and sends it to all. What the
/// second encoding loses counts N times in the owner's `owed`, because it is lost for all ranks.
///
/// For codecs whose payload is exactly max_bytes(): no sizes are exchanged. Two messages a bucket.
class TwoHopFamily final : public Family {
 public:
  /// How many of some values the codec cannot represent.
  using CountSaturated = std::function<std::int64_t(std::span<const float> values)>;

  /// @param granule  values that stay together (a group): chunks begin at multiples of it.
  TwoHopFamily(comm::Communicator& communicator, std::unique_ptr<const Codec> codec,
               std::int64_t granule, CountSaturated count_saturated = nullptr);

  [[nodiscard]] std::string_view name() const override { return codec_->family(); }
  void check_level(Level level) const override { codec_->check_level(level); }
  void reduce(std::span<const Item> items) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] std::uint64_t saturated() const override { return saturated_; }

 private:
  /// Values [begin, end) of a layer.
  struct Chunk {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    [[nodiscard]] std::int64_t numel() const { return end - begin; }
    [[nodiscard]] std::span<float> of(std::span<float> values) const;
  };
  [[nodiscard]] Chunk chunk(const Item& item, int owner) const;
  [[nodiscard]] std::size_t chunk_bytes(const Item& item, int owner) const;
  [[nodiscard]] std::int64_t owner_bytes(std::span<const Item> items, int owner) const;
  void first_hop(std::span<const Item> items);
  void add_up_own(std::span<const Item> items);
  void second_hop(std::span<const Item> items);
  void decode_means(std::span<const Item> items);

  comm::Communicator& communicator_;
  std::unique_ptr<const Codec> codec_;
  std::int64_t granule_;
  CountSaturated count_saturated_;
  std::uint64_t saturated_ = 0;
  using Bytes = std::shared_ptr<std::vector<std::byte>>;  // shared with transfers under way
  Bytes outgoing_ = std::make_shared<std::vector<std::byte>>();
  Bytes incoming_ = std::make_shared<std::vector<std::byte>>();
};

}  // namespace convoy::compress
