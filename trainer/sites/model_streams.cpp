// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/model_streams.h"

#include <utility>

namespace convoy::trainer {

void ModelStreams::clear() {
  start_ = nullptr;
  streams_.clear();
}

void ModelStreams::turn_to(const SharedState& start) {
  if (start_ == start) return;
  clear();
  start_ = start;
  hash_ = trainer::hash_of(*start);
}

std::uint64_t ModelStreams::hash_of(const Assignment& assignment) {
  turn_to(assignment.start);
  return hash_;
}

ModelStream ModelStreams::stream_of(const Assignment& assignment) {
  turn_to(assignment.start);
  ModelStream& stream = streams_[assignment.message];
  if (stream.bytes) return stream;
  TensorPack pack{.parameters = {}, .payload = {}, .buffers = start_->buffers};
  if (assignment.message) {
    pack.payload = *assignment.message;
  } else {
    pack.parameters = start_->parameters;
  }
  auto bytes = std::make_shared<const std::vector<std::byte>>(to_stream(pack, shape_));
  stream = {.bytes = bytes, .sha256 = sha256(*bytes)};
  return stream;
}

}  // namespace convoy::trainer
