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

#include "base/timeline.h"
#include "comm/communicator.h"
#include "compress/reduce/make_reducer.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/module_tensors.h"
#include "trainer/parallel/nonfinite.h"
#include "trainer/parallel/overlap.h"
#include "trainer/parallel/placement.h"

namespace convoy::trainer {

/// What happens to floating-point buffers (BatchNorm's running statistics) at the end of a step.
/// Others (its counter of batches) are always broadcast. The root of a broadcast is the first rank
/// that has samples: the buffers of one without are still those of the step before.
enum class BufferPolicy : std::uint8_t {
  kBroadcast,  ///< everybody takes the root's
  kAverage,    ///< everybody takes the mean over ranks, weighted by samples
};

struct DataParallelOptions {
  /// Gradients are sent when so many bytes are ready. Larger: fewer, longer messages; smaller: the
  /// first leaves earlier. Not given: 4 MiB, or 1 MiB with kNextForward, where the last bucket of
  /// backward is what forward waits for.
  std::optional<std::size_t> bucket_bytes;
  Overlap overlap = Overlap::kBackward;
  /// kNextForward needs it: the average of parameters()[i] is in its `.grad`. Steps that parameter
  /// alone and then zeroes or frees the gradient. Called in the thread of DataParallel, before the
  /// first operation of the next forward pass that uses the parameter, or in drain().
  std::function<void(std::size_t parameter)> update;
  /// Allow parameters that backward does not reach. Costs one small exchange a step.
  bool find_unused = false;
  BufferPolicy buffers = BufferPolicy::kBroadcast;
  /// Where parameters and gradients live. Averages are made there by Reducers that can (see
  /// compress::Reducer::works_on), on a communicator that moves such memory; for others gradients
  /// are copied to the host and back. LibTorch must work on its default stream of the device.
  Placement placement;
};

/// The size that holds: given, or the default.
[[nodiscard]] std::size_t bucket_bytes(const DataParallelOptions& options);

/// Nanosecond counts since begin_step().
struct StepTimes {
  std::int64_t backward = 0;  ///< inside backward(), waiting left out
  std::int64_t exposed = 0;   ///< waiting for communication that nothing did hide
  std::int64_t update = 0;    ///< inside DataParallelOptions::update
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
/// Unequal batches: a rank's gradient counts by its samples (design section 4): its loss is scaled
/// by n_r * N / sum n before backward, which costs nothing when the batches are equal. A rank with
/// no samples calls backward_empty().
/// Accumulation: begin_step() with the samples of all micro-batches; `backward(loss, samples)` with
/// the micro-batch's own for each, inside a NoSync for all but the last. A rank whose micro-batches
/// have run out while others go on calls backward_empty() as its last; what it has counts.
///
/// Every rank contributes what `.grad` holds after its backward, so zero gradients before each step
/// on all ranks. Gradients travel as float32, whatever the parameter's type; sparse ones as dense.
/// After a step `.grad` of a float32 parameter that lives where buckets do lies in one of them: its
/// values change in the next step, so clone what you keep.
/// Buckets are cut in reverse order of registration and, once, anew in the order in which rank 0's
/// gradients were ready in its first step; layers that are compressed and layers that never are
/// have buckets of their own. Result bits depend on none of it, nor on overlap.
///
/// After a CommError, or an exception inside a backward that was to be averaged, the ranks are out
/// of step: every later begin_step() throws that error again, only destruction is left, and it may
/// wait for a transfer that has begun, at most the communicator's timeout. Peers notice by a
/// CommError when this object is gone.
///
/// With Overlap::kNextForward backward() returns while gradients travel. Each parameter is updated
/// just before the next forward pass uses it (or a view of it, in an operation of LibTorch, in this
/// thread); backward() makes the updates that are left and then begins its own. So the caller
/// neither steps nor zeroes gradients; sets a learning rate after backward(), for its averages; and
/// calls drain() before it reads parameters otherwise: to evaluate, to save, at the end. Errors of
/// communication come out of the next call.
/// All calls are collective and belong to one thread.
class DataParallel {
 public:
  /// Borrows `communicator` only while constructing and for begin_step/end_step; gradients travel
  /// on a duplicate. `parameters`: requires_grad ones are averaged, others only broadcast; each
  /// tensor once. `reducer`: nullptr means dense averaging; compress::make_reducer() gives others.
  /// @throws ContractError on every rank, naming the first tensor whose name, type or shape differs
  ///         between ranks, or a tensor that is listed twice; CommError.
  using ReducerFactory = compress::ReducerFactory;
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

  /// Starts a step in which this rank trains on `samples` (>= 0); returns the sum over ranks. Costs
  /// an all-gather of 8 bytes. The second form is told the sum, and the first rank that has
  /// samples, and exchanges nothing. (Either broadcasts the order of the buckets, once.)
  std::int64_t begin_step(std::int64_t samples);
  void begin_step(std::int64_t samples, std::int64_t total_samples, int first_rank = 0);

  /// Runs backward of a loss that is the mean over `samples` samples (default: all that begin_step
  /// was told) and, outside a NoSync, returns when every gradient is the average.
  /// @throws ContractError that names the parameters that no backward of this step has reached on
  ///         this rank, unless find_unused; peers are served first and do not hang. With
  ///         find_unused a parameter that no rank has reached keeps its gradient as it was.
  ///         CommError.
  void backward(const torch::Tensor& loss);
  void backward(const torch::Tensor& loss, std::int64_t samples);
  /// This rank has no (more) samples: takes part with what it has accumulated, else with zeros.
  void backward_empty();
  /// Applies the buffer policy.
  void end_step();
  /// kNextForward: makes the updates that are left. Otherwise nothing. @throws CommError.
  void drain();
  /// Forward is over, for whoever watches; what follows until backward() is no layer's time.
  void end_forward();

  /// While one lives, backward() only accumulates.
  class [[nodiscard]] NoSync {
   public:
    explicit NoSync(DataParallel& parallel);
    ~NoSync();
    NoSync(const NoSync&) = delete;
    NoSync& operator=(const NoSync&) = delete;

   private:
    DataParallel& parallel_;
    bool before_;  // they may nest
  };
  [[nodiscard]] NoSync no_sync() { return NoSync(*this); }

  /// Where some rank's gradients of this step, or their sum, were not finite. The averages are
  /// then worth nothing: do not step. What compression remembers is as it was before the step.
  /// With kNextForward that of the last step which was drained; the averages have been applied.
  [[nodiscard]] const std::optional<NonFinite>& nonfinite() const;
  /// The averages of this step will not be applied, for another reason: what compression remembers
  /// becomes what it was before the step. All ranks call it, or none; before the next begin_step().
  /// Not with kNextForward.
  void discard_step();
  /// backward() multiplies the loss by it and gradients are divided by it before they are
  /// compressed and averaged: a power of two changes no bit, unless one gets too large or too
  /// small. Before begin_step(); the same on all ranks. @param scale  above 0, and not with
  /// kNextForward but 1
  void set_loss_scale(double scale);
  /// Numbers the next step (a resumed run goes on where it was): plans take effect by number.
  void set_next_step(std::int64_t step);
  /// For its state, traffic and plans; between backward(), or drain(), and the next backward().
  [[nodiscard]] compress::Reducer& reducer();
  /// From the next step on tells `timeline`, which it borrows, of layers in forward and backward,
  /// of waiting, of updates one by one, and of what the Reducer does; nullptr: no more. Some
  /// microseconds for each layer and step. When reducer() may be called, in the thread that
  /// computes.
  void watch(Timeline* timeline);

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

}  // namespace convoy::trainer
