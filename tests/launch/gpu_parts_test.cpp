// SPDX-License-Identifier: Apache-2.0
#include "launch/process/gpu_parts.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "launch/process/machine_report.h"

namespace convoy::launch {
namespace {

GpuParts all_parts() {
  return {.driver = 13010,
          .devices = 2,
          .kernels = true,
          .runtime = 13000,
          .nccl = 22809,
          .torch = "2.9.0",
          .torch_runtime = 13000,
          .torch_devices = 2};
}

/// The one line about a machine that lacks one part.
std::string only_line(const GpuParts& found) {
  const auto missing = missing_parts(found);
  EXPECT_EQ(missing.size(), 1U);
  return missing.empty() ? "" : to_line(missing.front());
}

TEST(GpuParts, LackNothingWhereAllIsThere) {
  EXPECT_TRUE(missing_parts(all_parts()).empty());
  EXPECT_NO_THROW(require_gpu_parts(all_parts(), "here"));
}

// Nobody can say whether there is a device.
TEST(GpuParts, NameTheDriver) {
  GpuParts found = all_parts();
  found.driver = 0;
  found.devices = 0;
  EXPECT_EQ(only_line(found),
            "driver: none is installed (libcuda.so.1 does not load): apt-get install nvidia-driver "
            "(Debian's own, in non-free, is for CUDA 12; NVIDIA's repository has newer ones), then "
            "restart");
}

TEST(GpuParts, NameADriverThatIsTooOld) {
  GpuParts found = all_parts();
  found.driver = 12040;
  EXPECT_EQ(only_line(found),
            "driver: it is for CUDA 12.4, too old for convoy's runtime 13.0: apt-get install "
            "nvidia-driver (Debian's own, in non-free, is for CUDA 12; NVIDIA's repository has "
            "newer ones), then restart");
  found.runtime = 12080;  // a newer minor version runs
  EXPECT_TRUE(missing_parts(found).empty());
}

TEST(GpuParts, NameTheDevice) {
  GpuParts found = all_parts();
  found.devices = 0;
  found.torch_devices = 0;
  found.device_problem = "no CUDA-capable device is detected (100)";
  EXPECT_EQ(only_line(found),
            "device: the driver finds none: no CUDA-capable device is detected (100): see "
            "nvidia-smi; a container needs --gpus all");
  found.visible_devices = "";
  EXPECT_EQ(only_line(found),
            "device: none is visible (CUDA_VISIBLE_DEVICES=\"\"): no CUDA-capable device is "
            "detected (100): unset it, or name devices that nvidia-smi -L lists");
}

TEST(GpuParts, NameTheKernels) {
  GpuParts found = all_parts();
  found.kernels = false;
  EXPECT_EQ(only_line(found),
            "kernels: convoy was built without CUDA kernels (nvcc 12 or newer): apt-get install "
            "cuda-toolkit from NVIDIA's repository (or set CUDAToolkit_ROOT), then build convoy "
            "again with -DCONVOY_WITH_CUDA=ON");
}

TEST(GpuParts, NameNccl) {
  GpuParts found = all_parts();
  found.nccl = 0;
  found.runtime = 0;  // the kernels have one
  found.no_nccl = "convoy was built without NCCL: no nccl.h";
  EXPECT_EQ(only_line(found),
            "nccl: convoy was built without NCCL: no nccl.h: apt-get install libnccl2 libnccl-dev "
            "from NVIDIA's repository (or set NCCL_ROOT), then build convoy again with "
            "-DCONVOY_WITH_NCCL=ON");
}

TEST(GpuParts, NameTheRuntimeWhereNothingBringsOne) {
  GpuParts found = all_parts();
  found.runtime = 0;
  found.nccl = 0;
  found.kernels = false;
  const auto missing = missing_parts(found);
  ASSERT_EQ(missing.size(), 3U);
  EXPECT_EQ(to_line(missing[0]),
            "runtime: convoy was built without the CUDA runtime: apt-get install cuda-toolkit from "
            "NVIDIA's repository (or set CUDAToolkit_ROOT), then build convoy again");
  EXPECT_EQ(missing[1].part, "nccl");
  EXPECT_EQ(missing[2].part, "kernels");
}

TEST(GpuParts, NameALibTorchWithoutCuda) {
  GpuParts found = all_parts();
  found.torch_runtime = 0;
  found.torch_devices = 0;
  EXPECT_EQ(only_line(found),
            "libtorch: LibTorch 2.9.0 was built without CUDA: get one with CUDA (pytorch.org, or "
            "the wheel torch of PyPI), then build convoy again with "
            "CMAKE_PREFIX_PATH=/path/to/libtorch");
}

TEST(GpuParts, NameALibTorchThatCannotUseTheDriver) {
  GpuParts found = all_parts();
  found.driver = 12020;
  found.runtime = 12020;
  found.torch_devices = 0;
  EXPECT_EQ(only_line(found),
            "libtorch: LibTorch 2.9.0, built with CUDA 13.0, sees none of 2 devices: get one for "
            "CUDA 12.2 or older, or a newer driver");
}

TEST(GpuParts, AreAllNamedInOneError) {
  GpuParts found = all_parts();
  found.driver = 0;
  found.devices = 0;
  found.torch_runtime = 0;
  found.kernels = false;  // no job needs them
  try {
    require_gpu_parts(found, "job.toml:4: communication.backend = \"nccl\"");
    FAIL() << "no ConfigError";
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("job.toml:4: communication.backend = \"nccl\" cannot be used here: "
                         "driver: none is installed",
                         0),
              0U)
        << text;
    EXPECT_NE(text.find("; libtorch: LibTorch 2.9.0 was built without CUDA"), std::string::npos);
    EXPECT_EQ(text.find("kernels"), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

TEST(MachineReport, NamesWhatGpusLackInTextAndJson) {
  MachineReport report{.gpu = all_parts()};
  EXPECT_EQ(to_text(report).find("for GPUs"), std::string::npos);
  EXPECT_NE(to_json(report).find("\"missing\": []"), std::string::npos);
  report.gpu.kernels = false;
  EXPECT_NE(to_text(report).find("\nfor GPUs, kernels: convoy was built without"),
            std::string::npos);
  EXPECT_NE(to_json(report).find("\"part\": \"kernels\""), std::string::npos);
  EXPECT_NE(to_json(report).find("\"nccl\": \"2.28.9\""), std::string::npos);
}

// Whatever it is: no crash, and what it says fits together.
TEST(GpuParts, OfThisMachineFitTogether) {
  const GpuParts found = find_gpu_parts();
  EXPECT_NE(found.torch, "");
  EXPECT_EQ(found.nccl == 0, found.no_nccl != "");
  if (found.driver == 0) {
    EXPECT_EQ(found.devices, 0);
    EXPECT_EQ(found.torch_devices, 0);
  }
  for (const MissingPart& part : missing_parts(found)) {
    EXPECT_NE(part.what, "") << part.part;
    EXPECT_EQ(to_line(part).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace convoy::launch
