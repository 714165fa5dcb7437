// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace convoy::trainer {

/// [model] of the job file: which network, and its sizes. Each network reads the sizes it has.
struct ModelConfig {
  /// "mlp" | "cnn" | "resnet20" | "resnet18" | "transformer" | "vit"; unused with torchscript.
  std::string name = "cnn";
  /// A module that Python saved with torch.jit.script(...).save(...); trained as it is.
  std::string torchscript;
  /// Weights to start from: a convoy or PyTorch state dictionary (model.pt of a run).
  std::string init;

  std::int64_t hidden = 256;  ///< mlp: width of a hidden layer
  std::int64_t layers = 2;    ///< mlp: hidden layers; transformer, vit: blocks
  std::int64_t width = 32;    ///< cnn: channels of the first layer
  std::int64_t dim = 128;     ///< transformer, vit: width of a token
  std::int64_t heads = 4;     ///< transformer, vit: attention heads; divides dim
  std::int64_t patch = 7;     ///< vit: side of a patch in pixels; divides the image's side
  double dropout = 0.0;       ///< mlp, cnn, transformer, vit: in [0, 1)
};

}  // namespace convoy::trainer
