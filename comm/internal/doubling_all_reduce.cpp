// SPDX-License-Identifier: Apache-2.0
// Short sums of many ranks: in round k every rank sends the 2^k contributions that it has to
// rank - 2^k and gets as many more from rank + 2^k, until it has all; then it adds them in rank
// order. ceil(log2 N) messages a rank where sending to everyone takes N - 1.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "comm/internal/collectives.h"
#include "comm/internal/combine.h"

namespace convoy::comm::internal {
namespace {

class DoublingAllReduce final : public Exchange {
 public:
  DoublingAllReduce(const Layout& layout, const Buffer& values, ReduceOp op)
      : Exchange({Kind::kAllReduce, values.dtype, values.numel(), op}, layout),
        values_(values.bytes),
        all_(scratch(values.bytes.size() * static_cast<std::size_t>(layout.size))) {
    std::memcpy(all_.data(), values_.data(), values_.size());
    for (int have = 1; have < layout.size; have *= 2) {
      const int count = std::min(have, layout.size - have);
      receive((layout.rank + have) % layout.size, 0, places(have, count)).allow(kAllChunks);
      send((layout.rank + layout.size - have) % layout.size, 0, places(0, count));
    }
    outs().front().allow(kAllChunks);
  }

 private:
  // Place p is for the contribution of rank own + p, so that each round fills the next places.
  [[nodiscard]] std::span<std::byte> places(int first, int count) const {
    return {all_.data() + values_.size() * static_cast<std::size_t>(first),
            values_.size() * static_cast<std::size_t>(count)};
  }

  bool step() override {
    const std::size_t before = round_;
    while (round_ + 1 < outs().size() && ins()[round_].done()) outs()[++round_].allow(kAllChunks);
    if (!combined_ && streams_done()) {
      std::vector<const std::byte*> inputs;
      for (int rank = 0; rank < layout().size; ++rank) {
        inputs.push_back(places((rank + layout().size - layout().rank) % layout().size, 1).data());
      }
      combine(call().dtype, call().op, inputs, values_);
      combined_ = true;
    }
    return round_ != before;
  }

  std::span<std::byte> values_;
  Scratch all_;
  std::size_t round_ = 0;
  bool combined_ = false;
};

}  // namespace

std::unique_ptr<Exchange> make_doubling_all_reduce(const Layout& layout, const Buffer& values,
                                                   ReduceOp op) {
  return std::make_unique<DoublingAllReduce>(layout, values, op);
}

}  // namespace convoy::comm::internal
