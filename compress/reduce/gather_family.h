// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/codec.h"
#include "compress/reduce/array.h"
#include "compress/reduce/family.h"
#include "compress/reduce/pool.h"

namespace convoy::compress {

/// Serves any Codec, a user's own too: every rank sends its whole payload to all others, and all
/// add them up in rank order. Family `top_k`. Payloads may differ in size: one small message a
/// bucket tells the sizes, one carries the payloads.
class GatherFamily final : public Family {
 public:
  /// Borrows `communicator`.
  GatherFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
               const Executors& executors);

  [[nodiscard]] std::string_view name() const override { return codec_->family(); }
  void check_level(Level level) const override { codec_->check_level(level); }
  [[nodiscard]] Reduction reduce(std::span<const Item> items, int priority) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) override;

 private:
  using Sizes = std::vector<std::int64_t>;
  /// Of the items of one call; shared with transfers under way.
  struct Work {
    std::shared_ptr<Sizes> own_sizes = std::make_shared<Sizes>();  // [items], in bytes
    std::shared_ptr<Sizes> sizes = std::make_shared<Sizes>();      // [ranks][items]
    Array<std::byte> outgoing;                                     // one payload after the other
    Array<std::byte> incoming;
  };
  void encode(std::span<const Item> items, Work& work);
  [[nodiscard]] Reduction gather_sizes(Work& work, comm::Turn turn);
  [[nodiscard]] Reduction gather_payloads(const Item& first, Work& work, comm::Turn turn);
  void add_up(std::span<const Item> items, const Work& work);

  comm::Communicator& communicator_;
  std::shared_ptr<const Codec> codec_;  // shared with the user who made it
  Executors executors_;
  std::unique_ptr<PlacedCodec> placed_;    // for reduce()
  std::unique_ptr<PlacedCodec> planning_;  // for the planning thread
  Pool<Work> works_;
};

}  // namespace convoy::compress
