// SPDX-License-Identifier: Apache-2.0
#include "trainer/trainer.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "comm/values.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/models/model.h"
#include "trainer/precision.h"
#include "trainer/together.h"
#include "trainer/training_run.h"

namespace convoy::trainer {
namespace {

/// Hosts may hold different files under one name; then the ranks would count different steps.
void require_same_size(comm::Communicator& communicator, const std::string& part,
                       std::int64_t size) {
  const auto sizes = comm::all_gather_values(communicator, std::vector{size});
  for (std::size_t rank = 1; rank < sizes.size(); ++rank) {
    require_config(sizes[rank] == sizes[0], "the ranks read different data: rank " +
                                                std::to_string(rank) + " has " +
                                                std::to_string(sizes[rank]) + " " + part +
                                                " samples, rank 0 has " + std::to_string(sizes[0]));
  }
}

Datasets load_everywhere(comm::Communicator& communicator, const Job& job) {
  Datasets datasets;
  together(communicator, [&] { datasets = load_datasets(job.data, job.run.seed); });
  require_same_size(communicator, "training", datasets.train->size());
  require_same_size(communicator, "evaluation", datasets.test->size());
  return datasets;
}

}  // namespace

void check_job(const Job& job, int ranks) {
  require_config(job.train.epochs > 0 || job.train.steps > 0,
                 "[train] needs epochs or steps, at least 1");
  require_config(!job.privacy.is_on(),
                 "[privacy] is for convoy federate: data-parallel training would send every "
                 "rank's gradient without noise");
  check_data(job.data);
  check_model(job.model);
  check_precision(job.train, job.communication.backend == "nccl" || job.run.device == "cuda");
  require_config(!(job.train.sync_batchnorm && !job.model.torchscript.empty()),
                 "train.sync_batchnorm works with convoy's own models, not with model.torchscript");
  require_config(!(job.train.sync_batchnorm && job.train.balance == "speed"),
                 "train.balance = \"speed\" cannot measure ranks that wait for each other inside a "
                 "layer: leave train.sync_batchnorm off");
  require_config(job.data.limit == 0 || job.data.limit >= ranks,
                 "there are more ranks (" + std::to_string(ranks) +
                     ") than samples (data.limit = " + std::to_string(job.data.limit) + ")");
}

void make_run_dir(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require_config(!error,
                 "cannot create the run directory " + folder.string() + ": " + error.message());
}

Summary train(comm::Communicator& communicator, const Job& job, const RunRequest& request) {
  together(communicator, [&] {
    check_job(job, communicator.size());
    make_run_dir(request.run_dir);
    const bool writes_trace = communicator.rank() == 0 && !request.trace.file.empty();
    if (writes_trace) require_writable(request.trace.file);
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
    if (config.torchscript.empty()) {
      config.init = weights.string();
    } else {
      config.torchscript = weights.string();
      config.init.clear();  // where the training began
    }
    model = make_model(config, datasets.test->info(), job.run.seed);
  });
  return evaluate_model(communicator, *model, *datasets.test, job.train.evaluate_batch);
}

}  // namespace convoy::trainer
