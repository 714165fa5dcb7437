// SPDX-License-Identifier: Apache-2.0
#include "launch/process/machine_report.h"

#include <sched.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>

#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "launch/process/startup_check.h"
#include "launch/process/transport_choice.h"

namespace convoy::launch {
namespace {

int usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

std::string names_of(const std::vector<MissingPart>& missing) {
  std::string text;
  for (const MissingPart& part : missing) text += (text.empty() ? "" : ", ") + part.part;
  return text;
}

std::vector<BackendReport> backend_reports(const GpuParts& gpu) {
  const std::string lack = names_of(missing_for_jobs(gpu));
  return {{"mpi", comm::mpi::available(), comm::mpi::available(), comm::mpi::version()},
          {"local", true, true, "ranks as threads of one process"},
          {"tcp", true, true, "sockets between ranks that mpirun has started"},
          {"nccl", comm::nccl::built(), lack.empty() && comm::mpi::available(),
           !lack.empty()             ? "it lacks " + lack
           : !comm::mpi::available() ? "it needs MPI beside it: " + comm::mpi::version()
                                     : comm::nccl::version()}};
}

nlohmann::json version_or_null(int code, std::string (*text)(int)) {
  return code == 0 ? nlohmann::json() : nlohmann::json(text(code));
}

nlohmann::json gpu_json(const GpuParts& gpu) {
  nlohmann::json missing = nlohmann::json::array();
  for (const MissingPart& part : missing_parts(gpu)) {
    missing.push_back({{"part", part.part}, {"what", part.what}, {"cure", part.cure}});
  }
  return {{"driver_cuda", version_or_null(gpu.driver, comm::nccl::cuda_version_text)},
          {"devices", gpu.devices},
          {"runtime", version_or_null(gpu.runtime, comm::nccl::cuda_version_text)},
          {"nccl", version_or_null(gpu.nccl, comm::nccl::nccl_version_text)},
          {"kernels", gpu.kernels},
          {"libtorch_cuda", version_or_null(gpu.torch_runtime, comm::nccl::cuda_version_text)},
          {"mpi_takes_device_memory", comm::mpi::cuda_support().is_there},
          {"mpi_on_device_memory", comm::mpi::cuda_support().text},
          {"missing", missing}};
}

/// "a x 2, b" for hosts a, a, b.
std::string count_hosts(const std::vector<std::string>& hosts) {
  std::map<std::string, int> counts;
  for (const auto& host : hosts) ++counts[host];
  std::string text;
  for (const auto& [host, count] : counts) {
    text += (text.empty() ? "" : ", ") + host;
    if (count > 1) text += " x " + std::to_string(count);
  }
  return text;
}

std::string why_slow(const BlasLibrary& blas) {
  if (!blas.config.empty()) {
    return blas.config +
           " is known for more: either others compute here too, or the processor is slow";
  }
  return fmt::format(
      "LibTorch seems to use the reference BLAS ({}); apt-get install libopenblas0-pthread, then "
      "update-alternatives --config libblas.so.3-$(uname -m)-linux-gnu",
      blas.file.empty() ? "no file found" : blas.file);
}

}  // namespace

MachineReport make_machine_report(comm::Communicator& communicator) {
  const GpuParts gpu = find_gpu_parts();
  MachineReport report{.convoy = convoy_version(),
                       .compiler = compiler_version(),
                       .libtorch = torch_version(),
                       .mpi = comm::mpi::version(),
                       .backends = backend_reports(gpu),
                       .transport = std::string(communicator.backend()),
                       .fast_fabric = has_fast_fabric(),
                       .ranks = communicator.size(),
                       .hosts = host_names(communicator),
                       .devices = devices(),
                       .gpu = gpu,
                       .cores = usable_cores(),
                       .threads = torch_threads(),
                       .blas = blas_library()};
  report.gemm_gflops = gemm_gflops();
  return report;
}

std::string gemm_warning(const MachineReport& report) {
  const double sane = kSaneGflopsPerThread * report.threads;
  if (report.gemm_gflops >= sane) return "";
  return fmt::format("a matrix product runs at {:.1f} GFLOP/s on {} thread{}, below {:.0f}: {}",
                     report.gemm_gflops, report.threads, report.threads == 1 ? "" : "s", sane,
                     why_slow(report.blas));
}

std::string to_json(const MachineReport& report) {
  nlohmann::json backends = nlohmann::json::array();
  for (const auto& backend : report.backends) {
    backends.push_back({{"name", backend.name},
                        {"built", backend.built},
                        {"usable", backend.usable},
                        {backend.usable ? "detail" : "missing", backend.detail}});
  }
  const std::string warning = gemm_warning(report);
  const nlohmann::json document{
      {"versions",
       {{"convoy", report.convoy},
        {"compiler", report.compiler},
        {"libtorch", report.libtorch},
        {"mpi", report.mpi}}},
      {"backends", backends},
      {"transport", report.transport},
      {"fast_fabric", report.fast_fabric},
      {"ranks", report.ranks},
      {"hosts", report.hosts},
      {"devices", report.devices},
      {"gpu", gpu_json(report.gpu)},
      {"cores", report.cores},
      {"threads", report.threads},
      {"blas",
       {{"file", report.blas.file},
        {"config", report.blas.config},
        {"holds_threads", report.blas.holds_threads}}},
      {"gemm",
       {{"gflops", report.gemm_gflops},
        {"size", 1024},
        {"warning", warning.empty() ? nlohmann::json() : nlohmann::json(warning)}}}};
  return document.dump(2) + "\n";
}

std::string to_text(const MachineReport& report) {
  std::string text = fmt::format("convoy {}, built with {}\nLibTorch {}\n", report.convoy,
                                 report.compiler, report.libtorch);
  for (const auto& backend : report.backends) {
    text += fmt::format("backend {:6}{}: {}\n", backend.name,
                        backend.usable ? "usable" : "not usable", backend.detail);
  }
  text += fmt::format("ranks {} on {}, data over {}{}\ndevices {}\n", report.ranks,
                      count_hosts(report.hosts), report.transport,
                      report.fast_fabric ? " (a fast fabric is here)" : "",
                      fmt::join(report.devices, ", "));
  for (const MissingPart& part : missing_parts(report.gpu)) {
    text += "for GPUs, " + to_line(part) + "\n";
  }
  text +=
      fmt::format("cores {}, threads {}\nBLAS {}{}\n", report.cores, report.threads,
                  report.blas.config.empty() ? "" : report.blas.config + ", ", report.blas.file);
  return text + fmt::format("matrix product {:.1f} GFLOP/s\n", report.gemm_gflops);
}

}  // namespace convoy::launch
