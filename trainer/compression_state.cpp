// SPDX-License-Identifier: Apache-2.0
#include "trainer/compression_state.h"

#include <string>

#include "trainer/checkpoint/checkpoint.h"

namespace convoy::trainer {
namespace {

const std::string kPrefix = "compression/";
const std::string kPlans = "compression/plans";

bool differs_by_rank(const std::string& key) {
  return key.starts_with("residual/") || key.starts_with("window/");
}

}  // namespace

std::vector<NamedTensor> to_tensors(const compress::ReducerState& state) {
  std::vector<NamedTensor> tensors;
  for (const auto& [key, values] : state.arrays) {
    const std::string mean = differs_by_rank(key) ? kMeanPrefix : "";
    tensors.push_back({mean + kPrefix + key, torch::tensor(values, torch::kFloat32)});
  }
  if (state.plans.empty()) return tensors;
  const std::vector<std::uint8_t> text(state.plans.begin(), state.plans.end());
  tensors.push_back({kPlans, torch::tensor(text, torch::kUInt8)});
  return tensors;
}

compress::ReducerState reducer_state(const std::vector<NamedTensor>& tensors) {
  compress::ReducerState state;
  for (const auto& [full_name, tensor] : tensors) {
    std::string name = full_name;
    if (name.starts_with(kMeanPrefix)) name = name.substr(std::string(kMeanPrefix).size());
    if (!name.starts_with(kPrefix)) continue;
    if (name == kPlans) {
      const auto* text = tensor.data_ptr<std::uint8_t>();
      state.plans.assign(text, text + tensor.numel());
      continue;
    }
    const auto* values = tensor.data_ptr<float>();
    state.arrays[name.substr(kPrefix.size())].assign(values, values + tensor.numel());
  }
  return state;
}

}  // namespace convoy::trainer
