// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/compression_log.h"
#include "trainer/evaluation.h"
#include "trainer/geometry.h"
#include "trainer/interval_meter.h"
#include "trainer/job.h"
#include "trainer/metrics/metrics.h"
#include "trainer/metrics/progress.h"
#include "trainer/parallel/communicator_statistics.h"
#include "trainer/run_request.h"
#include "trainer/step_runner.h"
#include "trainer/summary.h"
#include "trainer/time_watch.h"

namespace convoy::trainer {

/// One run of a job on one rank: from loaded data to the summary. Built in the order in which
/// things depend on each other; run() is called once. Collective throughout.
class TrainingRun {
 public:
  TrainingRun(comm::Communicator& communicator, const Job& job, const RunRequest& request,
              Datasets datasets);

  [[nodiscard]] Summary run();

 private:
  /// @return what the checkpoint holds of compression.
  [[nodiscard]] std::vector<NamedTensor> restore();
  /// Before anything that averages has its own communicator.
  void settle_chunks();
  void start_parallel(const std::vector<NamedTensor>& compression_state);
  void open_sinks();
  [[nodiscard]] bool finished() const;
  void one_step();
  void drain();
  void advance();
  void report_interval();
  void evaluate_if_due(bool epoch_ended);
  void evaluate();
  void save_checkpoint();
  [[nodiscard]] std::uint64_t bytes_sent() const;
  [[nodiscard]] std::int64_t schedule_step() const;
  /// Steps that will be done at the end.
  [[nodiscard]] std::int64_t last_step() const;
  [[nodiscard]] Summary finish();

  comm::Communicator& communicator_;
  const Job& job_;
  const RunRequest& request_;
  Datasets datasets_;
  Geometry geometry_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<CommunicatorStatistics> statistics_;
  std::unique_ptr<Optimizer> optimizer_;
  CheckpointStore checkpoints_;
  StepPosition position_;
  Summary summary_;  ///< filled as the run goes; bytes_sent: of this rank until the end
  std::uint64_t bytes_before_ = 0;            ///< sent by this rank in the parts before a resume
  std::int64_t balance_part_ = 0;             ///< of a checkpoint; 0: it had none
  std::vector<double> loss_scale_{0.0, 0.0};  ///< restored: scale and steps since it changed
  std::int64_t chunk_kb_ = 0;                 ///< rank 0: measured, perhaps before a resume; 0: not
  std::int64_t evaluated_step_ = -1;
  std::int64_t saved_step_ = -1;
  double learning_rate_ = 0.0;
  CompressionLog compression_;
  std::unique_ptr<TimeWatch> times_;  ///< outlives parallel_, whose threads it may watch
  std::unique_ptr<DataParallel> parallel_;
  std::unique_ptr<StepRunner> runner_;
  IntervalMeter meter_;
  std::vector<std::unique_ptr<MetricsSink>> sinks_;
  Progress* progress_ = nullptr;  ///< one of the sinks
};

}  // namespace convoy::trainer
