// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/errors.h"
#include "tests/temporary_folder.h"
#include "trainer/models/model.h"

/// What the tests of models share.
namespace convoy::trainer::testing_kit {

inline DataInfo image_info(std::int64_t channels, std::int64_t side, std::int64_t classes) {
  return {.task = Task::kClassify, .input_shape = {channels, side, side}, .classes = classes};
}

inline DataInfo text_info(std::int64_t length) {
  return {.task = Task::kLanguage, .input_shape = {length}, .classes = 256};
}

inline torch::Tensor random_inputs(const DataInfo& info, std::int64_t samples) {
  auto shape = info.input_shape;
  shape.insert(shape.begin(), samples);
  torch::manual_seed(11);
  if (info.task == Task::kLanguage) return torch::randint(256, shape, torch::kInt64);
  return torch::randn(shape);
}

/// Mean cross entropy against targets that depend on nothing but the sample's number.
inline torch::Tensor loss_of(Model& model, const DataInfo& info, const torch::Tensor& inputs) {
  const auto logits = model.forward(inputs).reshape({-1, info.classes});
  const auto targets = torch::arange(logits.size(0), torch::kInt64).remainder_(info.classes);
  return torch::nn::functional::cross_entropy(logits, targets);
}

inline std::int64_t count_values(const std::vector<NamedTensor>& tensors) {
  std::int64_t count = 0;
  for (const auto& item : tensors) count += item.tensor.numel();
  return count;
}

/// What a ConfigError says; empty when there is none. Checks that it is one line.
template <typename Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  }
  return "";
}

/// The path of a file in a folder of this process.
inline std::string temporary(const std::string& name) {
  static const tests::TemporaryFolder folder;
  return folder / name;
}

}  // namespace convoy::trainer::testing_kit
