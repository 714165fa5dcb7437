// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace convoy::trainer {

/// Loss and accuracy over a whole data set.
struct Evaluation {
  double loss = 0.0;
  double accuracy = 0.0;  ///< NaN for regression
  std::int64_t samples = 0;
};

/// How a run ended; D/summary.json.
struct Summary {
  double accuracy = 0.0;    ///< on the evaluation part; NaN for regression, written as null
  double loss = 0.0;        ///< on the evaluation part
  double train_loss = 0.0;  ///< of the last interval
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  std::int64_t samples = 0;  ///< trained on, all ranks
  double samples_per_second = 0.0;
  double seconds = 0.0;  ///< of training, evaluation left out; resumed parts added
  int ranks = 0;
  std::string parameters_hash;
  std::uint64_t bytes_sent = 0;  ///< all ranks
  /// Of gradients, all ranks: bytes that dense averaging would have sent over bytes sent.
  double compression_ratio = 1.0;
  std::int64_t skipped_steps = 0;
  std::int64_t chunk_kb = 0;  ///< of one message of a collective: given or measured
  bool interrupted = false;   ///< asked to stop before the last step; a checkpoint was written
};

/// The fields of a summary as one JSON document.
[[nodiscard]] std::string to_json(const Summary& summary);

}  // namespace convoy::trainer
