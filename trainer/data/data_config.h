// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/partition.h"

namespace convoy::trainer {

/// [data] of the job file: which samples, and how they are prepared.
struct DataConfig {
  /// "fashion-mnist" | "cifar10" | "cifar100" | "text" | "csv" | "synthetic"
  std::string name = "fashion-mnist";
  /// Folder (fashion-mnist, cifar) or file (text, csv); anything in it may be gzip'd. Empty: where
  /// Debian's dataset-fashion-mnist puts it, for fashion-mnist; an error for the others.
  std::string path;
  /// Share of the training samples, in [0, 1), that is held back for evaluation. 0: the data set's
  /// own test part; for text, csv and synthetic, which have none, a tenth. Drawn by the seed; of a
  /// text, the end.
  double validation = 0.0;
  /// Images only. Random shift by up to pad_pixels (in [0, 27]; what moves in is black), and a
  /// mirror image with probability 1/2 where flip is set.
  bool augment = false;
  std::int64_t pad_pixels = 4;
  bool flip = true;
  /// Reads only the first so many samples of the training part; 0: all. What `validation` holds
  /// back comes out of these.
  std::int64_t limit = 0;

  // text
  std::int64_t context = 128;  ///< bytes of one sample
  // csv: a header line; all columns but the label are numbers, scaled to mean 0 and deviation 1
  std::string label = "label";    ///< column that holds the class or the target
  std::string task = "classify";  ///< "classify" | "regress"
  /// The columns that are features, in this order; others are not read. Empty: all but the label,
  /// as the file has them. Sites of a federation need them: their files may differ in both.
  std::vector<std::string> columns;
  /// Classes by the text of their labels, numbered in this order; any other label is an error.
  /// Empty: the labels that the file has, sorted. Sites need them: one may lack a class.
  std::vector<std::string> labels;
  // synthetic: Gaussian clusters, one for each class
  /// In total; the evaluation part comes out of these.
  std::int64_t samples = 10'000;
  std::int64_t features = 32;
  std::int64_t classes = 10;

  PartitionConfig partition;  ///< over the clients of a federation
};

}  // namespace convoy::trainer
