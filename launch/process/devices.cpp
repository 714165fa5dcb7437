// SPDX-License-Identifier: Apache-2.0
#include "launch/process/devices.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"
#include "comm/values.h"
#include "compress/cuda/engine.h"
#include "compress/cuda/usable.h"
#include "compress/reduce/device_executor.h"
#include "launch/process/gpu_parts.h"

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

comm::nccl::DeviceWish wish_of(const trainer::Job& job) {
  using comm::nccl::DeviceWish;
  if (job.run.device != "mixed") return DeviceWish::kMust;
  return missing_for_jobs(find_gpu_parts()).empty() ? DeviceWish::kIfFree : DeviceWish::kNone;
}

/// Executors whose first works on a stream that communicators have to follow.
struct Engines {
  compress::Executors executors = compress::host_executors();
  std::uintptr_t stream = 0;  ///< 0: LibTorch's default
};

/// On the host where the kernels cannot run, with the same bits.
Engines make_engines(const trainer::Job& job, int rank) {
  if (job.compression.family == "none" || job.communication.hierarchical) return {};
  try {
    auto reducing = compress::cuda::make_engine();
    const auto stream = reinterpret_cast<std::uintptr_t>(reducing->stream());
    return {.executors = {.reducing = compress::device_executor(std::move(reducing)),
                          .planning = compress::device_executor(compress::cuda::make_engine())},
            .stream = stream};
  } catch (const compress::cuda::CudaError& error) {
    logger("launch")->warn("rank {} compresses on its CPU: {}", rank, error.what());
    return {};
  }
}

/// "ranks 0-3 on GPUs, 4-5 on CPUs", from rank 0.
void say_who_trains_where(comm::Communicator& all, bool on_device) {
  const auto flags = comm::all_gather_values(all, std::vector<std::int32_t>{on_device ? 1 : 0});
  if (all.rank() != 0) return;
  std::string text;
  for (std::size_t first = 0; first < flags.size();) {
    std::size_t end = first + 1;
    while (end < flags.size() && flags[end] == flags[first]) ++end;
    text += fmt::format("{}{}{} on {}", text.empty() ? "ranks " : ", ", first,
                        end - first > 1 ? fmt::format("-{}", end - 1) : "",
                        flags[first] == 1 ? "GPUs" : "CPUs");
    first = end;
  }
  logger("launch")->info("run.device = \"mixed\": {}", text);
}

/// Who calls what next depends on these.
void require_same_settings(comm::Communicator& all, const trainer::Job& job) {
  const std::string text =
      job.run.device + " " + job.communication.backend + " " + job.compression.family;
  const auto own = static_cast<std::int64_t>(hash64(std::as_bytes(std::span(text))));
  const auto hashes = comm::all_gather_values(all, std::vector{own});
  for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
    require_config(hashes[rank] == hashes[0],
                   fmt::format("rank {} has another run.device, communication.backend or "
                               "compression.family in its job file than rank 0",
                               rank));
  }
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
  require_same_settings(host, job);
  if (!asks_for_devices(job)) return std::nullopt;
  const bool mixed = job.run.device == "mixed";
  if (!mixed) require_everywhere(host, lack_of(job, host.rank()));
  const auto device = comm::nccl::share_devices(host, wish_of(job));
  if (mixed) say_who_trains_where(host, device.has_value());
  if (!device) return std::nullopt;
  Engines engines = make_engines(job, host.rank());
  DeviceRank rank;
  rank.placement = {.device = torch::Device(torch::kCUDA, static_cast<torch::DeviceIndex>(*device)),
                    .memory = comm::Device::kCuda,
                    .executors = std::move(engines.executors)};
  rank.communicator = connect(host, job, *device, engines.stream);
  return rank;
}

}  // namespace convoy::launch
