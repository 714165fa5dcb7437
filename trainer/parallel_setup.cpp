// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel_setup.h"

#include <utility>
#include <vector>

#include "compress/reduce/plan_json.h"

namespace convoy::trainer {

DataParallelOptions parallel_options(const Job& job) {
  DataParallelOptions options;
  if (job.communication.bucket_mb > 0) {
    options.bucket_bytes = static_cast<std::size_t>(job.communication.bucket_mb * (1 << 20));
  }
  if (job.communication.overlap == "false") options.overlap = Overlap::kOff;
  if (job.communication.overlap == "next_forward") options.overlap = Overlap::kNextForward;
  options.find_unused = job.train.find_unused;
  if (job.train.buffers == "average") options.buffers = BufferPolicy::kAverage;
  return options;
}

DataParallelOptions parallel_options(const Job& job, Optimizer& optimizer) {
  DataParallelOptions options = parallel_options(job);
  options.update = [&optimizer](std::size_t parameter) {
    optimizer.step(parameter);
    optimizer.zero_grad(parameter);
  };
  return options;
}

compress::ReducerFactory reducer_of(const Job& job, const std::filesystem::path& replay_plans,
                                    comm::Communicator* host, compress::Executors executors) {
  std::vector<compress::PlanRecord> replay;
  if (!replay_plans.empty()) replay = compress::read_plans(replay_plans);
  compress::CompressionConfig config = job.compression;
  if (config.error_metric == "auto" && job.train.optimizer.name == "adamw") {
    config.error_metric = "normalized";
  }
  if (host != nullptr) {
    return compress::make_node_reducer(config, job.run.seed, *host, std::move(replay));
  }
  return compress::make_reducer(config, job.run.seed, std::move(replay), std::move(executors));
}

}  // namespace convoy::trainer
