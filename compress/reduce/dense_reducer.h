// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress {

/// Family `none`: float32 all-reduce, summed in rank order, times 1/N. No state.
class DenseReducer final : public Reducer {
 public:
  /// Borrows `communicator`.
  explicit DenseReducer(comm::Communicator& communicator) : communicator_(communicator) {}

  void begin_step(std::int64_t step) override {
    if (timeline_ != nullptr) timeline_->begin_communication(step);
  }
  void reduce(const Bucket& bucket) override;
  [[nodiscard]] std::optional<comm::Request> start(const Bucket& bucket, int priority) override;
  void finish(const Bucket& bucket) override;
  void end_step() override {}
  [[nodiscard]] double wire_bytes(const Layer& layer) override;
  [[nodiscard]] bool shows_nonfinite() const override { return true; }
  [[nodiscard]] Traffic traffic() const override { return traffic_; }
  void watch(Timeline* timeline) override { timeline_ = timeline; }

 private:
  comm::Communicator& communicator_;
  Traffic traffic_;
  int under_way_ = 0;
  std::uint64_t sent_before_ = 0;  // by the communicator, when nothing was under way
  Timeline::Span busy_{};          // since then
  Timeline* timeline_ = nullptr;
};

}  // namespace convoy::compress
