// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

struct Options {
  /// The caller's CUDA stream, a `cudaStream_t` as a number: an operation reads and writes its
  /// buffers after what was put there before the call. 0: the legacy default stream, which is where
  /// LibTorch works unless it is told otherwise.
  std::uintptr_t stream = 0;
  /// The CUDA device of this rank; -1: see make(). Ranks may differ in whether they give one.
  int device = -1;
  /// Before a collective begins, every rank tells every other one what it calls: a rank that calls
  /// something else, with other sizes or another context, is a CommError at once instead of a hang
  /// or wrong values, and who is late is named. For finding faults: N - 1 short messages over the
  /// bootstrap for each collective, which then begins only when somebody waits or tests. The same
  /// on all ranks.
  bool check_calls = false;
};

/// True when convoy was built with NCCL.
[[nodiscard]] bool built();
/// True when convoy was built with NCCL, and this process has a driver and a device. Takes a
/// moment at the first call: CUDA starts.
[[nodiscard]] bool available();
/// Which of NCCL, runtime, driver and device is missing, in one line; empty when nothing is.
[[nodiscard]] std::string missing();
/// As NCCL and CUDA number them: 22809 is 2.28.9, 13000 is 13.0; 0: there is none.
struct Versions {
  int runtime = 0;
  int driver = 0;  ///< the newest CUDA that it runs
  int nccl = 0;
};
[[nodiscard]] Versions versions();
/// "12.2" of 12020.
[[nodiscard]] std::string cuda_version_text(int code);
/// "2.28.9" of 22809.
[[nodiscard]] std::string nccl_version_text(int code);
/// Versions of NCCL, CUDA runtime and driver, or missing(). One line.
[[nodiscard]] std::string version();

/// A communicator over the ranks of `bootstrap` that moves device memory (Device::kCuda) by NCCL;
/// host memory, send() and recv() travel over duplicates of `bootstrap`. Collective and blocking;
/// options as those of `bootstrap`, whose timeout also holds for the set-up. After a failure it can
/// be called again with the same `bootstrap`, if that is not poisoned.
///
/// The rank's device becomes the current one of this thread. Other threads that call should have
/// made it theirs as well: else each call makes it current and goes back.
///
/// Ranks that see the same devices (of one host, with equal CUDA_VISIBLE_DEVICES) take one each, in
/// the order of their ranks.
///
/// What differs from other backends: the order of a sum is NCCL's choice (results have equal bits
/// on all ranks, but not those of rank order, and float16 and bfloat16 may be rounded more than
/// once); Turn::priority is ignored, as NCCL needs one order on all ranks: a collective begins when
/// all with earlier places have been called.
/// After a failure or give_up() peers learn of it at once in operations on host memory, barrier()
/// and split(), as far as `bootstrap` tells them; inside a collective on device memory they learn
/// of it by an error of NCCL or by their own timeout.
/// @throws ContractError with missing() where convoy was built without NCCL. ConfigError on all
///         ranks where one has no usable device or a host has more ranks than devices. CommError.
[[nodiscard]] std::unique_ptr<Communicator> make(Communicator& bootstrap,
                                                 const Options& options = {});

/// The CUDA device of this rank. @throws ContractError for a communicator of neither make() nor
/// stage().
[[nodiscard]] int device_of(const Communicator& communicator);

}  // namespace convoy::comm::nccl
