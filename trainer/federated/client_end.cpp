// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/client_end.h"

#include <utility>

#include "base/random.h"
#include "trainer/federated/update_layers.h"
#include "trainer/stopwatch.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kRoundingStream = 0x726f756e64696e67;  // "rounding"

}  // namespace

std::uint64_t rounding_seed(std::uint64_t key) { return mix({key, kRoundingStream}); }

ClientEnd::ClientEnd(ClientData data, const compress::UpdateCodec* codec,
                     std::unique_ptr<RoundRule> rule)
    : data_(std::move(data)), rule_(std::move(rule)) {
  if (codec != nullptr) sender_.emplace(*codec, rounding_seed(data_.key()));
  mark();
}

void ClientEnd::mark() {
  if (sender_) marked_residual_ = sender_->residual();
}

ClientReport ClientEnd::train(LocalTrainer& trainer, const Assignment& assignment,
                              const ModelState& start, const KeepGoing& keep_going) {
  data_.set_position(assignment.position);
  Stopwatch watch;
  ClientReport report{.client = assignment.client, .round = assignment.round};
  report.result =
      trainer.run(data_, start, assignment.steps, keep_going, assignment.updates, rule_.get());
  report.position = data_.position();
  report.result.update.client = assignment.client;
  report.result.update.version = assignment.version;
  report.wire_bytes = bytes_of(report.result.update);
  if (sender_) {
    last_payload_.clear();
    if (report.result.finite) {
      last_payload_ = sender_->send(flatten(report.result.update.delta), assignment.round);
    }
    report.payload = last_payload_;
    report.result.update.delta.clear();
    report.wire_bytes = report.payload.size() + bytes_of(report.result.update.buffers);
  }
  report.training_seconds = watch.lap();
  return report;
}

void ClientEnd::take_back() {
  if (!last_payload_.empty()) sender_->take_back(last_payload_);
  last_payload_.clear();
  mark();
}

void ClientEnd::restore(std::vector<float> residual) {
  if (!sender_) return;
  sender_->restore(std::move(residual));
  mark();
}

}  // namespace convoy::trainer
