// SPDX-License-Identifier: Apache-2.0
#include "trainer/trainer.h"

#include <filesystem>
#include <string>

#include "base/errors.h"
#include "base/file.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/models/model.h"
#include "trainer/together.h"
#include "trainer/training_run.h"

namespace convoy::trainer {
namespace {

Datasets load_everywhere(comm::Communicator& communicator, const Job& job) {
  Datasets datasets;
  together(communicator, [&] { datasets = load_datasets(job.data, job.run.seed); });
  return datasets;
}

}  // namespace

void check_job(const Job& job, int ranks) {
  check_data(job.data);
  check_model(job.model);
  require_config(!(job.train.sync_batchnorm && !job.model.torchscript.empty()),
                 "train.sync_batchnorm works with convoy's own models, not with model.torchscript");
  require_config(job.data.limit == 0 || job.data.limit >= ranks,
                 "there are more ranks (" + std::to_string(ranks) +
                     ") than samples (data.limit = " + std::to_string(job.data.limit) + ")");
}

Summary train(comm::Communicator& communicator, const Job& job, const RunRequest& request) {
  together(communicator, [&] {
    check_job(job, communicator.size());
    std::filesystem::create_directories(request.run_dir);
  });
  TrainingRun run(communicator, job, request, load_everywhere(communicator, job));
  together(communicator, [&] {
    if (communicator.rank() == 0 && request.on_accepted) request.on_accepted();
  });
  const Summary summary = run.run();
  together(communicator, [&] {
    if (communicator.rank() != 0) return;
    write_file_atomic(request.run_dir / "summary.json", to_json(summary) + "\n");
  });
  return summary;
}

Evaluation evaluate(comm::Communicator& communicator, const Job& job,
                    const std::filesystem::path& weights) {
  const Datasets datasets = load_everywhere(communicator, job);
  std::unique_ptr<Model> model;
  together(communicator, [&] {
    ModelConfig config = job.model;
    // A scripted run leaves a whole module behind, any other its weights.
    (config.torchscript.empty() ? config.init : config.torchscript) = weights.string();
    model = make_model(config, datasets.test->info(), job.run.seed);
  });
  return evaluate_model(communicator, *model, *datasets.test, job.train.evaluate_batch);
}

}  // namespace convoy::trainer
