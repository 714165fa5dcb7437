// SPDX-License-Identifier: Apache-2.0
#include "launch/process/devices.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "base/errors.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"
#include "comm/values.h"
#include "compress/cuda/engine.h"
#include "compress/cuda/usable.h"
#include "compress/reduce/device_executor.h"
#include "launch/process/gpu_parts.h"
#include "launch/process/transport_choice.h"

namespace convoy::launch {
namespace {

bool over_nccl(const trainer::Job& job) { return job.communication.backend == "nccl"; }

/// As the user has written it.
std::string asked(const trainer::Job& job) {
  return over_nccl(job) ? R"(communication.backend = "nccl")"
                        : fmt::format(R"(run.device = "{}")", job.run.device);
}

/// What one rank lacks is an error on all.
void require_everywhere(comm::Communicator& all, const std::string& lack) {
  const int first =
      comm::all_reduce_value(all, lack.empty() ? all.size() : all.rank(), comm::ReduceOp::kMin);
  if (first < all.size()) throw ConfigError(comm::broadcast_text(all, lack, first));
}

std::string lack_of(const trainer::Job& job, int rank) {
  try {
    require_gpu_parts(find_gpu_parts(), fmt::format("{} on rank {}", asked(job), rank));
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

/// The ranks before this one on its host.
int ranks_before(comm::Communicator& all) {
  const auto hosts = host_names(all);
  const auto own = hosts.begin() + all.rank();
  return static_cast<int>(std::count(hosts.begin(), own, *own));
}

/// run.device = "mixed": where there are parts enough, and a device that no earlier rank takes.
bool finds_a_device(comm::Communicator& all) {
  const int before = ranks_before(all);
  const GpuParts found = find_gpu_parts();
  return missing_for_jobs(found).empty() && before < found.torch_devices;
}

/// Executors whose first works on a stream that communicators have to follow.
struct Engines {
  compress::Executors executors = compress::host_executors();
  std::uintptr_t stream = 0;  ///< 0: LibTorch's default
};

Engines make_engines(const trainer::Job& job) {
  if (job.compression.family == "none" || !compress::cuda::is_built()) return {};
  auto reducing = compress::cuda::make_engine();
  const auto stream = reinterpret_cast<std::uintptr_t>(reducing->stream());
  return {.executors = {.reducing = compress::device_executor(std::move(reducing)),
                        .planning = compress::device_executor(compress::cuda::make_engine())},
          .stream = stream};
}

std::unique_ptr<comm::Communicator> connect(comm::Communicator& host, const trainer::Job& job,
                                            int device, std::uintptr_t stream) {
  if (over_nccl(job)) return comm::nccl::make(host, {.stream = stream, .device = device});
  const bool direct = host.backend() == "mpi" && comm::mpi::cuda_support().is_there;
  return comm::nccl::stage(host, {.stream = stream, .device = device, .direct = direct});
}

}  // namespace

bool asks_for_devices(const trainer::Job& job) {
  return over_nccl(job) || job.run.device == "cuda" || job.run.device == "mixed";
}

std::optional<DeviceRank> connect_device(comm::Communicator& host, const trainer::Job& job) {
  if (!asks_for_devices(job)) return std::nullopt;
  const bool mixed = job.run.device == "mixed";
  if (!mixed) require_everywhere(host, lack_of(job, host.rank()));
  const auto device = comm::nccl::share_devices(host, !mixed || finds_a_device(host));
  std::string failure;
  Engines engines;
  try {
    if (device) engines = make_engines(job);
  } catch (const std::exception& error) {
    failure = fmt::format("{} on rank {}: {}", asked(job), host.rank(), error.what());
  }
  require_everywhere(host, failure);
  if (!device) return std::nullopt;
  DeviceRank rank;
  rank.placement = {.device = torch::Device(torch::kCUDA, static_cast<torch::DeviceIndex>(*device)),
                    .memory = comm::Device::kCuda,
                    .executors = std::move(engines.executors)};
  rank.communicator = connect(host, job, *device, engines.stream);
  return rank;
}

}  // namespace convoy::launch
