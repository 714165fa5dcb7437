// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "trainer/federated/federated_server.h"
#include "trainer/metrics/jsonl_file.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// What a federation reports while it runs: metrics.jsonl, and a line for people for every
/// evaluation. A line's "step" counts updates that have reached the server, "seconds" is the
/// federation's clock.
class FederatedMetrics {
 public:
  /// Lines after `last_step`, or of models after `last_version`, are cut off: a resumed run went
  /// back there, and what an end has made of updates that waited has not been.
  /// @param jsonl  write the file. @param quiet  nothing on standard error.
  FederatedMetrics(const std::filesystem::path& run_dir, bool jsonl, bool quiet,
                   std::int64_t last_step = 0, std::int64_t last_version = 0);

  /// {"kind":"aggregate",...}: of the updates in a new model the means of the training loss
  /// (weighted by samples trained on), of the staleness, and of the clients' own validation
  /// (weighted by its samples; null without any).
  void new_model(const NewModel& made, std::int64_t step);
  /// {"kind":"evaluation",...} of the global model on the server's evaluation part.
  void evaluation(const Evaluation& found, double time, std::int64_t version, std::int64_t step);

  /// The training loss of the newest model.
  [[nodiscard]] double train_loss() const { return train_loss_; }
  /// A resumed run's, until there is a newer model.
  void set_train_loss(double loss) { train_loss_ = loss; }

 private:
  std::unique_ptr<JsonlFile> file_;
  bool quiet_;
  double train_loss_ = 0.0;
};

}  // namespace convoy::trainer
