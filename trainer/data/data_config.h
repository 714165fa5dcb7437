// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace convoy::trainer {

/// [data] of the job file: which samples, and how they are prepared.
struct DataConfig {
  /// "fashion-mnist" | "cifar10" | "cifar100" | "text" | "csv" | "synthetic"
  std::string name = "fashion-mnist";
  /// Folder (fashion-mnist, cifar) or file (text, csv; .gz is read as it is). Empty: where Debian's
  /// packages put it, for fashion-mnist; an error for the others.
  std::string path;
  /// Share of the training samples, in [0, 1), that is held back for evaluation. 0: the data set's
  /// own test part; for text, csv and synthetic, which have none, a tenth.
  double validation = 0.0;
  /// Random shift by up to pad_pixels, and a mirror image with probability 1/2 where flip is set.
  bool augment = false;
  std::int64_t pad_pixels = 4;
  bool flip = true;
  /// Uses only the first so many training samples; 0: all.
  std::int64_t limit = 0;

  // text
  std::int64_t context = 128;  ///< bytes of one sample
  // csv
  std::string label = "label";    ///< column that holds the class or the target
  std::string task = "classify";  ///< "classify" | "regress"
  // synthetic: Gaussian clusters, one for each class
  std::int64_t samples = 10'000;
  std::int64_t features = 32;
  std::int64_t classes = 10;
};

}  // namespace convoy::trainer
