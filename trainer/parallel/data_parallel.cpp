// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/data_parallel.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "base/errors.h"
#include "compress/reduce/dense_reducer.h"
#include "trainer/parallel/internal/agreement.h"
#include "trainer/parallel/internal/buffer_sync.h"
#include "trainer/parallel/internal/device_stream.h"
#include "trainer/parallel/internal/gradient_exchange.h"
#include "trainer/parallel/internal/layer_watch.h"
#include "trainer/parallel/internal/packed_tensors.h"

namespace convoy::trainer {
namespace {

using Clock = std::chrono::steady_clock;

void require_unique(const std::vector<NamedTensor>& tensors) {
  std::unordered_set<std::string> names;
  std::unordered_set<const c10::TensorImpl*> seen;
  for (const auto& [name, tensor] : tensors) {
    require(tensor.defined(), "DataParallel: " + name + " is not defined");
    require(names.insert(name).second && seen.insert(tensor.unsafeGetTensorImpl()).second,
            "DataParallel: " + name + " is listed twice");
  }
}

void check(const DataParallelOptions& options) {
  require(bucket_bytes(options) > 0, "DataParallel: bucket_bytes must be positive");
  require(options.placement.device.is_cpu() || options.placement.memory != comm::Device::kHost,
          "DataParallel: placement.memory says that a device's memory is the host's");
  if (options.overlap != Overlap::kNextForward) return;
  require(options.update != nullptr, "DataParallel: Overlap::kNextForward needs an update");
  require(!options.find_unused,
          "DataParallel: Overlap::kNextForward cannot have find_unused: what no rank has used is "
          "known only when all have ended their backward");
}

/// Checks that all ranks mean the same model and gives them rank 0's values, as one message.
void start_equal(comm::Communicator& communicator, const std::vector<NamedTensor>& parameters,
                 const std::vector<NamedTensor>& buffers, const DataParallelOptions& options) {
  std::vector<NamedTensor> all = parameters;
  all.insert(all.end(), buffers.begin(), buffers.end());
  require_unique(all);
  auto lines = internal::describe(all);
  lines.push_back(
      fmt::format("options bucket_bytes = {}, overlap = {}, find_unused = {}, buffers = {}",
                  bucket_bytes(options), static_cast<int>(options.overlap), options.find_unused,
                  static_cast<int>(options.buffers)));
  internal::require_agreement(communicator, lines);
  if (communicator.size() == 1 || all.empty()) return;
  internal::PackedTensors image(all);
  if (communicator.rank() == 0) image.pack();
  communicator.broadcast(comm::Buffer(image.bytes(), comm::DType::kUInt8, image.owner()), 0).wait();
  if (communicator.rank() != 0) image.unpack();
}

std::vector<std::size_t> trained(const std::vector<NamedTensor>& parameters) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].tensor.requires_grad()) indices.push_back(i);
  }
  return indices;
}

internal::ExchangeOptions exchange_options(const DataParallelOptions& options,
                                           std::vector<std::size_t> indices) {
  const auto update = [update = options.update, indices = std::move(indices)](std::size_t i) {
    update(indices[i]);
  };
  return {bucket_bytes(options), options.overlap, options.find_unused, update, options.placement};
}

}  // namespace

std::size_t bucket_bytes(const DataParallelOptions& options) {
  const std::size_t mib = options.overlap == Overlap::kNextForward ? 1 : 4;
  return options.bucket_bytes.value_or(mib << 20);
}

class DataParallel::Impl {
 public:
  Impl(comm::Communicator& communicator, std::vector<NamedTensor> parameters,
       std::vector<NamedTensor> buffers, const DataParallelOptions& options,
       const ReducerFactory& factory)
      : communicator_(communicator),
        options_(options),
        parameters_(std::move(parameters)),
        buffers_(std::move(buffers)),
        counts_(std::make_shared<std::vector<std::int64_t>>(communicator.size())) {
    check(options);
    start_equal(communicator, parameters_, buffers_, options);
    buffer_sync_ =
        std::make_unique<internal::BufferSync>(buffers_, options.buffers == BufferPolicy::kAverage);
    auto own = communicator.duplicate();
    auto reducer = factory ? factory(*own) : std::make_unique<compress::DenseReducer>(*own);
    const auto indices = trained(parameters_);
    std::vector<NamedTensor> averaged;
    for (const std::size_t i : indices) averaged.push_back(parameters_[i]);
    exchange_ = std::make_unique<internal::GradientExchange>(std::move(averaged), std::move(own),
                                                             std::move(reducer),
                                                             exchange_options(options, indices));
  }

  std::int64_t gather_counts(std::int64_t samples);
  void begin_step(std::int64_t samples, std::int64_t total, int first_rank);
  void backward(const torch::Tensor& loss, std::int64_t samples);
  void backward_empty();
  void end_step();
  void drain();
  void end_forward();
  void set_loss_scale(double scale);
  void watch(Timeline* timeline);

  [[nodiscard]] std::uint64_t bytes_sent() const { return exchange_->bytes_sent() + buffer_bytes_; }
  /// The first rank that gather_counts() has found to have samples.
  [[nodiscard]] int first_rank() const;

 private:
  friend class DataParallel;

  void run_backward(const torch::Tensor& loss, double scale);
  void finish();
  std::int64_t add_times();

  comm::Communicator& communicator_;
  DataParallelOptions options_;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
  std::shared_ptr<std::vector<std::int64_t>> counts_;  // shared with transfers under way
  std::unique_ptr<internal::BufferSync> buffer_sync_;
  std::unique_ptr<internal::GradientExchange> exchange_;
  std::unique_ptr<internal::LayerWatch> layers_;  // while somebody watches

  enum class State : std::uint8_t { kOutside, kOpen, kAveraged } state_ = State::kOutside;
  std::int64_t samples_ = 0;  // of this rank in this step
  std::int64_t total_ = 0;    // of all ranks
  int first_rank_ = 0;
  double loss_scale_ = 1.0;
  bool sync_ = true;
  StepTimes times_;
  std::uint64_t buffer_bytes_ = 0;
};

std::int64_t DataParallel::Impl::gather_counts(std::int64_t samples) {
  exchange_->rethrow_error();
  require(samples >= 0, "begin_step: samples must not be negative");
  auto own = std::make_shared<std::int64_t>(samples);
  communicator_
      .all_gather(comm::ConstBuffer(std::span<const std::int64_t>(own.get(), 1), own),
                  comm::Buffer(std::span(*counts_), counts_))
      .wait();
  return std::reduce(counts_->begin(), counts_->end());
}

int DataParallel::Impl::first_rank() const {
  const auto first = std::ranges::find_if(*counts_, [](auto count) { return count > 0; });
  return first == counts_->end() ? 0 : static_cast<int>(first - counts_->begin());
}

void DataParallel::Impl::begin_step(std::int64_t samples, std::int64_t total, int first_rank) {
  exchange_->rethrow_error();
  require(samples >= 0 && samples <= total,
          "begin_step: samples must lie between 0 and the sum over ranks");
  require(first_rank >= 0 && first_rank < communicator_.size(), "begin_step: no such first rank");
  const int rank = communicator_.rank();
  require(total == 0 || (rank < first_rank ? samples == 0 : rank > first_rank || samples > 0),
          "begin_step: first_rank is not the first rank that has samples");
  times_ = {};
  exchange_->begin_step(communicator_);
  (void)add_times();
  samples_ = samples;
  total_ = total;
  first_rank_ = first_rank;
  state_ = State::kOpen;
  if (layers_) layers_->begin_forward();
}

void DataParallel::Impl::backward(const torch::Tensor& loss, std::int64_t samples) {
  require(state_ == State::kOpen, "backward: call begin_step() first, once a step");
  require(samples > 0 && samples <= samples_,
          "backward: samples must lie between 1 and what begin_step() was told");
  drain();
  const auto begin = Clock::now();
  const double scale =
      static_cast<double>(samples) * communicator_.size() / static_cast<double>(total_);
  if (sync_) exchange_->start();
  run_backward(loss, scale * loss_scale_);
  times_.backward += (Clock::now() - begin) / std::chrono::nanoseconds(1);
  exchange_->end_pass();
  if (!sync_) return;
  finish();
  const auto missed = options_.find_unused ? std::vector<std::string>() : exchange_->unreached();
  if (!missed.empty()) drain();  // the peers first
  require(missed.empty(),
          fmt::format("backward did not reach {} (set find_unused if that is meant)",
                      fmt::join(missed, ", ")));
}

void DataParallel::Impl::run_backward(const torch::Tensor& loss, double scale) {
  if (layers_) layers_->begin_backward();
  try {
    loss.backward(scale == 1.0 ? torch::Tensor() : torch::full_like(loss, scale));
    internal::wait_for_stream(options_.placement.device);  // so that times are those of the work
  } catch (...) {
    if (sync_) exchange_->abandon(std::current_exception());
    throw;
  }
  if (!layers_) return;
  layers_->end_backward();
  if (!sync_) layers_->begin_forward();  // of the next micro-batch
}

void DataParallel::Impl::backward_empty() {
  require(state_ == State::kOpen, "backward_empty: call begin_step() first, once a step");
  drain();
  if (!sync_ || total_ == 0) return;
  exchange_->start();
  finish();
}

void DataParallel::Impl::finish() {
  const auto begin = Clock::now();
  state_ = State::kAveraged;
  exchange_->finish();
  const auto passed = (Clock::now() - begin) / std::chrono::nanoseconds(1);
  times_.backward += passed - add_times();
}

void DataParallel::Impl::drain() {
  end_forward();
  exchange_->rethrow_error();
  exchange_->drain();
  (void)add_times();
}

void DataParallel::Impl::set_loss_scale(double scale) {
  require(scale > 0.0, "set_loss_scale: must be above 0");
  require(scale == 1.0 || options_.overlap != Overlap::kNextForward,
          "set_loss_scale: not with Overlap::kNextForward");
  loss_scale_ = scale;
  exchange_->set_loss_scale(scale);
}

void DataParallel::Impl::end_forward() {
  if (layers_) layers_->end_forward();
}

void DataParallel::Impl::watch(Timeline* timeline) {
  exchange_->watch(timeline);
  layers_.reset();
  if (timeline == nullptr) return;
  std::vector<NamedTensor> parameters;
  for (const std::size_t i : trained(parameters_)) parameters.push_back(parameters_[i]);
  layers_ = std::make_unique<internal::LayerWatch>(parameters, *timeline);
}

/// @return nanoseconds that belong to none of the caller's own work.
std::int64_t DataParallel::Impl::add_times() {
  const auto times = exchange_->take_times();
  times_.exposed += times.waited.count();
  times_.update += times.updating.count();
  return (times.waited + times.updating).count();
}

void DataParallel::Impl::end_step() {
  require(state_ != State::kOutside, "end_step: call begin_step() first");
  state_ = State::kOutside;
  if (total_ == 0) return;
  const auto before = communicator_.bytes_sent();
  buffer_sync_->run(communicator_, samples_, total_, first_rank_);
  buffer_bytes_ += communicator_.bytes_sent() - before;
}

DataParallel::DataParallel(comm::Communicator& communicator, std::vector<NamedTensor> parameters,
                           std::vector<NamedTensor> buffers, const DataParallelOptions& options,
                           const ReducerFactory& reducer)
    : impl_(std::make_unique<Impl>(communicator, std::move(parameters), std::move(buffers), options,
                                   reducer)) {}

DataParallel::DataParallel(comm::Communicator& communicator, torch::nn::Module& module,
                           const DataParallelOptions& options, const ReducerFactory& reducer)
    : DataParallel(communicator, named_parameters(module), named_buffers(module), options,
                   reducer) {}

DataParallel::DataParallel(comm::Communicator& communicator, torch::jit::Module& module,
                           const DataParallelOptions& options, const ReducerFactory& reducer)
    : DataParallel(communicator, named_parameters(module), named_buffers(module), options,
                   reducer) {}

DataParallel::~DataParallel() = default;

std::int64_t DataParallel::begin_step(std::int64_t samples) {
  const auto total = impl_->gather_counts(samples);
  impl_->begin_step(samples, total, impl_->first_rank());
  return total;
}

void DataParallel::begin_step(std::int64_t samples, std::int64_t total_samples, int first_rank) {
  impl_->begin_step(samples, total_samples, first_rank);
}

void DataParallel::backward(const torch::Tensor& loss) { impl_->backward(loss, impl_->samples_); }

void DataParallel::backward(const torch::Tensor& loss, std::int64_t samples) {
  impl_->backward(loss, samples);
}

void DataParallel::backward_empty() { impl_->backward_empty(); }

void DataParallel::end_step() { impl_->end_step(); }

void DataParallel::drain() { impl_->drain(); }

void DataParallel::end_forward() { impl_->end_forward(); }

DataParallel::NoSync::NoSync(DataParallel& parallel)
    : parallel_(parallel), before_(std::exchange(parallel.impl_->sync_, false)) {}

DataParallel::NoSync::~NoSync() { parallel_.impl_->sync_ = before_; }

const std::optional<NonFinite>& DataParallel::nonfinite() const {
  return impl_->exchange_->nonfinite();
}

void DataParallel::discard_step() {
  require(impl_->options_.overlap != Overlap::kNextForward,
          "discard_step: Overlap::kNextForward has applied the averages");
  impl_->exchange_->reducer().discard_step();
}

void DataParallel::set_next_step(std::int64_t step) { impl_->exchange_->set_next_step(step); }

compress::Reducer& DataParallel::reducer() { return impl_->exchange_->reducer(); }

void DataParallel::watch(Timeline* timeline) { impl_->watch(timeline); }

const StepTimes& DataParallel::times() const { return impl_->times_; }

void DataParallel::set_loss_scale(double scale) { impl_->set_loss_scale(scale); }

std::uint64_t DataParallel::bytes_sent() const { return impl_->bytes_sent(); }

std::vector<std::vector<std::string>> DataParallel::bucket_layout() const {
  return impl_->exchange_->layout();
}

const std::vector<NamedTensor>& DataParallel::parameters() const { return impl_->parameters_; }

const std::vector<NamedTensor>& DataParallel::buffers() const { return impl_->buffers_; }

}  // namespace convoy::trainer
