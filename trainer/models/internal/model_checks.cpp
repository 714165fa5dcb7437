// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/model_checks.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"mlp",      "cnn",         "resnet20",
                                                    "resnet18", "transformer", "vit"};

void check_positive(const char* key, std::int64_t value) {
  require_config(value > 0,
                 std::string("model.") + key + " must be positive, not " + std::to_string(value));
}

void check_attention_sizes(const ModelConfig& config) {
  check_positive("dim", config.dim);
  check_positive("heads", config.heads);
  require_config(config.dim % config.heads == 0,
                 "model.heads must divide model.dim: " + std::to_string(config.heads) +
                     " does not divide " + std::to_string(config.dim));
}

/// "[1, 28, 28]"
std::string text_of(const std::vector<std::int64_t>& shape) {
  std::ostringstream text;
  text << at::IntArrayRef(shape);
  return text.str();
}

void check_image(const ModelConfig& config, const DataInfo& info) {
  const auto& shape = info.input_shape;
  require_config(info.task != Task::kLanguage && shape.size() == 3,
                 "model.name = \"" + config.name + "\" needs images [C, H, W], the data has " +
                     text_of(shape));
  const auto side = std::min(shape[1], shape[2]);
  require_config(config.name != "cnn" || side >= 4,
                 "model.name = \"cnn\" needs images of at least 4 x 4");
  require_config(
      config.name != "vit" || (shape[1] % config.patch == 0 && shape[2] % config.patch == 0),
      "model.patch must divide the image's sides: " + std::to_string(config.patch) +
          " does not divide " + text_of(shape));
}

std::vector<std::int64_t> expected_output(const DataInfo& info) {
  if (info.task == Task::kLanguage) return {1, info.input_shape.at(0), info.classes};
  return {1, info.classes};
}

}  // namespace

void check_sizes(const ModelConfig& config) {
  const auto& name = config.name;
  require_config(
      std::ranges::find(kNames, name) != kNames.end(),
      "model.name = \"" + name + "\" is unknown: mlp, cnn, resnet20, resnet18, transformer or vit");
  require_config(config.dropout >= 0.0 && config.dropout < 1.0,
                 "model.dropout must be in [0, 1), not " + std::to_string(config.dropout));
  if (name == "mlp") {
    check_positive("hidden", config.hidden);
    check_positive("layers", config.layers);
  } else if (name == "cnn") {
    check_positive("width", config.width);
  } else if (name == "transformer" || name == "vit") {
    check_positive("layers", config.layers);
    check_attention_sizes(config);
    if (name == "vit") check_positive("patch", config.patch);
  }
}

void check_fits_data(const ModelConfig& config, const DataInfo& info) {
  if (config.name == "transformer") {
    require_config(
        info.task == Task::kLanguage,
        "model.name = \"transformer\" needs text, the data has " + text_of(info.input_shape));
  } else if (config.name == "mlp") {
    require_config(info.task != Task::kLanguage, "model.name = \"mlp\" cannot read text");
  } else {
    check_image(config, info);
  }
}

void check_output(Model& model, const DataInfo& info) {
  auto shape = info.input_shape;
  shape.insert(shape.begin(), 1);
  const auto type = info.task == Task::kLanguage ? torch::kInt64 : torch::kFloat32;
  const torch::NoGradGuard no_grad;
  model.train(false);
  const auto output = model.forward(torch::zeros(shape, type));
  model.train(true);
  const auto expected = expected_output(info);
  require_config(output.sizes() == at::IntArrayRef(expected),
                 "the model makes " + text_of(output.sizes().vec()) + " of inputs " +
                     text_of(shape) + " where the data needs " + text_of(expected));
  require_config(output.is_floating_point(), "the model's outputs are not floating point");
}

}  // namespace convoy::trainer::internal
