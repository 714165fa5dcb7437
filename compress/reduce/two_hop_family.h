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

/// Families `quantize` and `half`, and `top_k` among many ranks: every layer is cut into one chunk
/// per rank. First hop: each rank sends everybody the encoded chunk that the receiver owns; the
/// owner adds them in rank order in float32, its own unencoded. Second hop: it encodes the mean
/// again and sends it to all. What the second encoding loses counts N times in the owner's `owed`,
/// because it is lost for all ranks.
///
/// Two messages a bucket; where sizes of payloads vary, two small ones more that tell them.
class TwoHopFamily final : public Family {
 public:
  /// How many of some values the codec cannot represent.
  using CountSaturated = std::function<std::int64_t(std::span<const float> values)>;

  struct Options {
    /// Values that stay together (a group): chunks begin at multiples of it.
    std::int64_t granule = 1;
    /// False: every payload is exactly max_bytes() long.
    bool sizes_vary = false;
    CountSaturated count_saturated = nullptr;
  };
  /// Borrows `communicator`.
  TwoHopFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
               Options options);

  [[nodiscard]] std::string_view name() const override { return codec_->family(); }
  void check_level(Level level) const override { codec_->check_level(level); }
  void reduce(std::span<const Item> items) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) override;
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
  /// Sizes of encoded chunks in bytes, [ranks][items] where not said otherwise.
  using Sizes = std::vector<std::int64_t>;
  [[nodiscard]] std::size_t most_bytes(const Item& item, int owner) const;
  /// Encodes the `owner`'s chunk of `item` behind what is outgoing. @returns its size.
  [[nodiscard]] std::int64_t append(const Item& item, int owner, std::span<const float> values,
                                    std::uint64_t key);
  [[nodiscard]] std::span<const std::byte> last_payload(std::int64_t bytes) const;
  [[nodiscard]] Sizes encode_for_owners(std::span<const Item> items);
  [[nodiscard]] Sizes sizes_from_peers(std::span<const Item> items, const Sizes& to_peers) const;
  /// @returns [items].
  [[nodiscard]] Sizes encode_means(std::span<const Item> items);
  [[nodiscard]] Sizes sizes_of_means(std::span<const Item> items, const Sizes& own) const;
  [[nodiscard]] std::vector<std::int64_t> rank_sums(const Sizes& sizes) const;
  void first_hop(std::span<const Item> items);
  void add_up_own(std::span<const Item> items);
  void second_hop(std::span<const Item> items);
  void decode_means(std::span<const Item> items);

  comm::Communicator& communicator_;
  std::shared_ptr<const Codec> codec_;
  Options options_;
  std::uint64_t saturated_ = 0;
  using Bytes = std::shared_ptr<std::vector<std::byte>>;  // shared with transfers under way
  Bytes outgoing_ = std::make_shared<std::vector<std::byte>>();
  Bytes incoming_ = std::make_shared<std::vector<std::byte>>();
  Sizes incoming_sizes_;
};

}  // namespace convoy::compress
