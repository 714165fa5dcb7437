// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/jit/runtime/graph_executor.h>

namespace convoy::trainer {

/// While it lives, this thread runs TorchScript with the plain executor; everything of ours that
/// loads or runs a scripted module holds one.
///
/// The default, the profiling executor, compiles a graph's backward into one node after its first
/// runs: every gradient hook then fires at the very end, so that nothing can be sent while backward
/// goes on, and the bits of the gradients change. Its two switches differ in reach: optimisation is
/// switched back at the end and belongs to the thread; the profiling executor stays off in the
/// whole process.
class PlainExecutor {
 public:
  PlainExecutor() : optimize_(false) { torch::jit::getExecutorMode() = false; }

 private:
  torch::jit::GraphOptimizerEnabledGuard optimize_;
};

}  // namespace convoy::trainer
