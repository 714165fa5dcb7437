// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/codec/half_codec.h"
#include "compress/reduce/array.h"
#include "compress/reduce/family.h"
#include "compress/reduce/pool.h"
#include "compress/reduce/turns.h"

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
  struct Options {
    /// Values that stay together (a group): chunks begin at multiples of it.
    std::int64_t granule = 1;
    /// False: every payload is exactly max_bytes() long.
    bool sizes_vary = false;
    /// Count the values that this format cannot represent.
    std::optional<HalfFormat> count_saturated = std::nullopt;
  };
  /// Borrows `communicator`.
  TwoHopFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
               const Executors& executors, const Options& options);

  [[nodiscard]] std::string_view name() const override { return codec_->family(); }
  void check_level(Level level) const override { codec_->check_level(level); }
  [[nodiscard]] Reduction reduce(std::span<const Item> items, int priority) override;
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
  /// Of the items of one call and one hop; shared with transfers under way.
  struct Work {
    std::shared_ptr<Sizes> outgoing_sizes = std::make_shared<Sizes>();  // of the means: [items]
    std::shared_ptr<Sizes> incoming_sizes = std::make_shared<Sizes>();
    Array<std::byte> outgoing;
    Array<std::byte> incoming;
  };
  [[nodiscard]] std::size_t most_bytes(const Item& item, int owner) const;
  /// Of the chunks of all items that belong to `owner`.
  [[nodiscard]] std::size_t most_bytes(std::span<const Item> items, int owner) const;
  /// Encodes `values`, the `owner`'s chunk of `item`, at the front of `room`, which it shortens.
  /// @return the payload.
  std::span<const std::byte> append(const Item& item, int owner, std::span<const float> values,
                                    std::uint64_t key, std::span<std::byte>& room);
  void encode_for_owners(std::span<const Item> items, Work& work);
  void size_incoming_chunks(std::span<const Item> items, Work& work) const;
  [[nodiscard]] Reduction exchange_chunks(const Item& first, Work& work, Turns& turns);
  void add_up_own(std::span<const Item> items, const Work& work);
  void encode_means(std::span<const Item> items, Work& work);
  void size_incoming_means(std::span<const Item> items, Work& work) const;
  [[nodiscard]] Reduction gather_means(const Item& first, Work& work, Turns& turns);
  void decode_means(std::span<const Item> items, const Work& work);
  [[nodiscard]] Sizes rank_sums(const Sizes& sizes) const;

  comm::Communicator& communicator_;
  std::shared_ptr<const Codec> codec_;
  Executors executors_;
  std::unique_ptr<PlacedCodec> placed_;    // for reduce()
  std::unique_ptr<PlacedCodec> planning_;  // for the planning thread
  Options options_;
  std::uint64_t saturated_ = 0;
  Pool<Work> works_;
};

}  // namespace convoy::compress
