// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/internal/packed_tensors.h"

namespace convoy::trainer::internal {

/// Makes buffers equal on all ranks: those of one kind travel as one message.
class BufferSync {
 public:
  /// `average`: floating-point buffers become the mean over ranks, weighted by samples, summed in
  /// float64. All others, and all without `average`, become those of one rank.
  BufferSync(const std::vector<NamedTensor>& buffers, bool average);

  /// Collective; nothing happens without buffers or peers. @throws CommError.
  /// @param samples  of this rank.  @param total  of all ranks, positive.
  /// @param root  the rank whose buffers count where there is no mean.
  void run(comm::Communicator& communicator, std::int64_t samples, std::int64_t total, int root);

 private:
  void average(comm::Communicator& communicator, std::int64_t samples, std::int64_t total);

  std::vector<torch::Tensor> averaged_;
  std::shared_ptr<std::vector<double>> sums_;  // shared with transfers under way
  std::vector<NamedTensor> copied_;
  PackedTensors image_;  // of copied_
};

}  // namespace convoy::trainer::internal
