// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "compress/reduce/sent_meter.h"

namespace convoy::compress {

/// Family `none`: float32 all-reduce, summed in rank order, times 1/N. No state.
class DenseReducer final : public Reducer {
 public:
  /// Borrows `communicator`.
  explicit DenseReducer(comm::Communicator& communicator)
      : communicator_(communicator), sent_(communicator) {}

  void begin_step(std::int64_t step) override {
    if (timeline_ != nullptr) timeline_->begin_communication(step);
  }
  [[nodiscard]] Reduction start(const Bucket& bucket, int priority) override;
  void end_step() override { sent_.stop(); }
  /// A device's buckets stay there: the communicator must move such memory.
  [[nodiscard]] bool works_on(comm::Device /*device*/) const override { return true; }
  [[nodiscard]] double wire_bytes(const Layer& layer) override;
  [[nodiscard]] bool shows_nonfinite() const override { return true; }
  [[nodiscard]] Traffic traffic() const override {
    return {.dense_bytes = sent_.bytes(), .sent_bytes = sent_.bytes()};
  }
  void watch(Timeline* timeline) override { timeline_ = timeline; }

 private:
  comm::Communicator& communicator_;
  SentMeter sent_;
  Timeline* timeline_ = nullptr;
};

}  // namespace convoy::compress
