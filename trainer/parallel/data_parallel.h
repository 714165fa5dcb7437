// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>
#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// What happens to floating-point buffers (BatchNorm's running statistics) at the end of a step.
enum class BufferPolicy : std::uint8_t {
  kBroadcast,  ///< everybody takes rank 0's
  kAverage,    ///< everybody takes the mean over ranks, weighted by samples
};

struct DataParallelOptions {
  /// Gradients are sent when so many bytes are ready. Larger: fewer, longer messages; smaller: the
  /// first leaves earlier.
  std::size_t bucket_bytes = std::size_t{4} << 20;
  /// Send while backward goes on; off: after it. Same numbers.
  bool overlap = true;
  /// Allow parameters that backward does not reach. Costs one small exchange a step.
  bool find_unused = false;
  BufferPolicy buffers = BufferPolicy::kBroadcast;
};

/// Nanosecond counts of one step.
struct StepTimes {
  std::int64_t backward = 0;  ///< inside backward(), waiting left out
  std::int64_t exposed = 0;   ///< waiting for communication that backward did not hide
};

/// Trains one module on all ranks of a communicator: at the start everybody takes rank 0's
/// parameters and buffers; after backward() every gradient is the mean over all samples of all
/// ranks, with the same bits everywhere. Works on any set of named tensors: see the adapters below.
///
/// One step:   const auto total = parallel.begin_step(samples);   // 0: every rank has run out
///             parallel.backward(loss);                           // loss = mean over own samples
///             optimizer.step();
///             parallel.end_step();                               // buffers
///
/// Unequal batches: a rank's gradient counts by its samples (design section 4): it is scaled by
/// n_r * N / sum n before the exchange. A rank with no samples calls backward_empty().
/// Accumulation: begin_step() with the samples of all micro-batches; `backward(loss, samples)` with
/// the micro-batch's own for each, inside a NoSync for all but the last.
/// All calls are collective and belong to one thread.
class DataParallel {
 public:
  /// Borrows `communicator` only while constructing and for begin_step/end_step; gradients travel
  /// on a duplicate. `parameters`: requires_grad ones are averaged, others only broadcast; each
  /// tensor once. `reducer`: nullptr means dense averaging; else a factory that is given the
  /// duplicate.
  using ReducerFactory =
      std::function<std::unique_ptr<compress::Reducer>(comm::Communicator& communicator)>;
  DataParallel(comm::Communicator& communicator, std::vector<NamedTensor> parameters,
               std::vector<NamedTensor> buffers, const DataParallelOptions& options = {},
               const ReducerFactory& reducer = nullptr);
  /// Adapters: all named parameters and buffers, tied ones once.
  DataParallel(comm::Communicator& communicator, torch::nn::Module& module,
               const DataParallelOptions& options = {}, const ReducerFactory& reducer = nullptr);
  DataParallel(comm::Communicator& communicator, torch::jit::Module& module,
               const DataParallelOptions& options = {}, const ReducerFactory& reducer = nullptr);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  /// Starts a step in which this rank trains on `samples` (>= 0); returns the sum over ranks. The
  /// second form is told the sum and exchanges nothing.
  std::int64_t begin_step(std::int64_t samples);
  void begin_step(std::int64_t samples, std::int64_t total_samples);

  /// Runs backward of a loss that is the mean over `samples` samples (default: all that begin_step
  /// was told) and, outside a NoSync, returns when every gradient is the average.
  /// @throws ContractError that names the parameters that backward did not reach, unless
  ///         find_unused; CommError.
  void backward(const torch::Tensor& loss);
  void backward(const torch::Tensor& loss, std::int64_t samples);
  /// This rank has no samples: takes part with zeros.
  void backward_empty();
  /// Applies the buffer policy.
  void end_step();

  /// While one lives, backward() only accumulates.
  class [[nodiscard]] NoSync {
   public:
    explicit NoSync(DataParallel& parallel);
    ~NoSync();
    NoSync(const NoSync&) = delete;
    NoSync& operator=(const NoSync&) = delete;

   private:
    DataParallel& parallel_;
  };
  [[nodiscard]] NoSync no_sync() { return NoSync(*this); }

  [[nodiscard]] const StepTimes& times() const;
  /// Payload bytes that this rank has sent for gradients and buffers.
  [[nodiscard]] std::uint64_t bytes_sent() const;
  /// The buckets in the order in which they are sent: names of their parameters.
  [[nodiscard]] std::vector<std::vector<std::string>> bucket_layout() const;
  [[nodiscard]] const std::vector<NamedTensor>& parameters() const;
  [[nodiscard]] const std::vector<NamedTensor>& buffers() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Named parameters or buffers of a module, each tensor once, under its first name.
[[nodiscard]] std::vector<NamedTensor> named_parameters(const torch::nn::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_parameters(const torch::jit::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_buffers(const torch::nn::Module& module);
[[nodiscard]] std::vector<NamedTensor> named_buffers(const torch::jit::Module& module);

}  // namespace convoy::trainer
