// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/parallel/nonfinite.h"

namespace convoy::trainer::internal {

/// Looks for infinities and NaNs in this rank's gradients before they are averaged, and lets all
/// ranks agree on the first rank that has one.
class FiniteCheck {
 public:
  /// @param device  where the values of buckets outside the host's memory lie.
  explicit FiniteCheck(torch::Device device) : device_(device) {}
  void begin_step();
  /// This rank's gradients. One pass over the bucket, until something was found; on a device one
  /// that is queued, and answered when somebody asks.
  void look_at(const compress::Bucket& bucket);
  /// The averages, which are the same on all ranks. One pass, unless an earlier bucket has shown
  /// something. @param index  of the bucket, in the order that all ranks share.
  void look_at_average(const compress::Bucket& bucket, std::size_t index);
  /// Of the averages of this step so far.
  [[nodiscard]] bool average_is_finite();
  /// After all own gradients. Collective: begins one small all-reduce. @throws CommError.
  [[nodiscard]] comm::Request ask(comm::Communicator& communicator);
  /// Of what was asked, after all averages. Collective: a broadcast of the name where there is one.
  /// @throws CommError.
  [[nodiscard]] std::optional<NonFinite> answer(comm::Communicator& communicator,
                                                comm::Request asked);

 private:
  struct Found {
    std::size_t index;
    std::string name;
  };
  /// What a device will say of a layer.
  struct Answer {
    Found layer;
    torch::Tensor is_finite;
  };
  void ask_device(const compress::Bucket& bucket, std::size_t index,
                  std::vector<Answer>& answers) const;
  /// Waits for its answers.
  void hear_device();
  [[nodiscard]] static std::optional<Found> first_of(const std::vector<Answer>& answers);

  torch::Device device_;
  std::vector<Answer> own_answers_;
  std::vector<Answer> average_answers_;
  std::optional<std::string> own_;  // the first layer of this rank in this step
  std::optional<Found> average_;    // the first layer whose average is not finite
  // The first rank that has found something; shared with the transfer under way.
  std::shared_ptr<std::int32_t> first_ = std::make_shared<std::int32_t>(0);
};

}  // namespace convoy::trainer::internal
