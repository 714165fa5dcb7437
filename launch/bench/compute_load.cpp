// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/compute_load.h"

namespace convoy::launch {

ComputeLoad::ComputeLoad(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { compute(); });
}

ComputeLoad::~ComputeLoad() { stop_ = true; }

void ComputeLoad::compute() {
  std::vector<float> values(16'384, 1.0F);
  float factor = 1.0F;
  while (!stop_) {
    for (int pass = 0; pass < 20; ++pass) {
      for (float& value : values) value = value * factor + 1e-6F;
    }
    // So that no compiler can leave it out.
    factor = values[0] > 2.0F ? 0.5F : 1.0F;
    ++done_;
  }
}

}  // namespace convoy::launch
