// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.h"
#include "trainer/data/dataset.h"
#include "trainer/models/model.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// Shares the samples out over the ranks and adds up what they find; the same result on all ranks.
/// Leaves the model in training mode. Collective.
/// @param batch_size  samples of one rank at a time.
[[nodiscard]] Evaluation evaluate_model(comm::Communicator& communicator, Model& model,
                                        const Dataset& dataset, std::int64_t batch_size);

/// The same of these samples, on this rank alone.
[[nodiscard]] Evaluation evaluate_samples(Model& model, const Dataset& dataset,
                                          std::span<const std::int64_t> indices,
                                          std::int64_t batch_size);

}  // namespace convoy::trainer
