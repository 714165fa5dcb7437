// SPDX-License-Identifier: Apache-2.0
#include "launch/process/backend.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/nccl.h"
#include "launch/process/devices.h"
#include "launch/process/hardware.h"
#include "launch/process/ready_file.h"
#include "launch/process/startup_check.h"
#include "launch/process/transport_choice.h"

namespace convoy::launch {
namespace {

comm::CommunicatorOptions options_of(const trainer::CommunicationConfig& config) {
  const std::chrono::duration<double> timeout(config.timeout_s);
  comm::CommunicatorOptions options;
  options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  if (config.chunk_kb > 0) options.chunk_bytes = static_cast<std::size_t>(config.chunk_kb) << 10;
  return options;
}

/// How long a rank that has failed waits for the others to fail too.
constexpr std::chrono::seconds kFarewell{2};

/// True when every rank has come here: then none waits for another any more.
bool all_have_failed(comm::Communicator& farewell) {
  try {
    farewell.barrier().wait(kFarewell);
    return true;
  } catch (const CommError&) {
    return false;
  }
}

// Whether there are devices is for the ranks to say: who starts them may have none.
void check_nccl() {
  const std::string what = "communication.backend = \"nccl\": ";
  require_config(comm::nccl::built(),
                 what + comm::nccl::missing() +
                     "; convoy info says what to install, and mpi and local need none of it");
  require_config(comm::mpi::available(), what + "it needs MPI beside it: " + comm::mpi::version());
}

void run_mpi(Process& process, const trainer::Job& job,
             const std::function<void(comm::Communicator&)>& body) {
  const trainer::CommunicationConfig& config = job.communication;
  auto& mpi = process.start_mpi();
  const auto world = mpi.world(options_of(config));
  // Apart, because a body that has failed may have left calls open in `world`.
  const auto farewell = world->duplicate();
  std::unique_ptr<comm::Communicator> bulk;
  std::optional<DeviceRank> device;  // over those above
  std::unique_ptr<comm::Communicator> host;
  try {
    if (world->size() > 1) compare_ranks(*world);
    if (world->rank() == 0) announce_ready();
    bulk = make_bulk_communicator(*world, config);
    comm::Communicator& hosts = bulk != nullptr ? *bulk : *world;
    device = connect_device(hosts, job);
    if (device) process.set_placement(device->placement);
    comm::Communicator& used = device ? *device->communicator : hosts;
    if (config.hierarchical) host = split_by_host(*world);
    process.set_host(host.get());
    body(used);
    process.set_host(nullptr);
    process.set_placement({});
    // It has gone on without a rank that stands still; MPI cannot end with all of them.
    if (used.poisoned()) mpi.abort(kSuccess);
  } catch (const CommError&) {
    // At once, and before the communicator goes: other ranks may wait in it.
    if (world->size() > 1) process.abort_all(std::current_exception());
    throw;
  } catch (const ConfigError&) {
    if (all_have_failed(*farewell)) throw;
    process.abort_all(std::current_exception());
  } catch (...) {
    if (world->size() == 1) throw;
    if (all_have_failed(*farewell)) {
      process.abort_all_failed(std::current_exception(), *farewell);
    }
    process.abort_all(std::current_exception());
  }
}

}  // namespace

Backend choose_backend(const trainer::CommunicationConfig& config, bool launched, int mpi_ranks) {
  if (config.backend == "nccl") check_nccl();
  if (config.backend == "mpi" || config.backend == "nccl") return Backend::kMpi;
  if (config.backend == "auto") return launched ? Backend::kMpi : Backend::kLocal;
  require_config(mpi_ranks == 1,
                 "communication.backend = \"local\" runs in one process, and here are " +
                     std::to_string(mpi_ranks) + "; use \"auto\" or \"mpi\"");
  return Backend::kLocal;
}

void run_ranks(Process& process, const trainer::Job& job,
               const std::function<void(comm::Communicator&)>& body) {
  require_config(
      comm::mpi::launched() || !asks_for_devices(job) || job.communication.local_ranks == 1,
      fmt::format("run.device = \"{}\" needs a process for each rank: convoy launch -n {} "
                  "-- train JOB",
                  job.run.device, job.communication.local_ranks));
  const Backend backend = choose_backend(
      job.communication, comm::mpi::launched() || asks_for_devices(job), process.place().ranks);
  hold_threads(static_cast<int>(job.run.threads_per_rank));
  if (backend == Backend::kMpi) return run_mpi(process, job, body);
  announce_ready();
  comm::local::run(static_cast<int>(job.communication.local_ranks), body,
                   options_of(job.communication));
}

}  // namespace convoy::launch
