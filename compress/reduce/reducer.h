// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy::compress {

/// One named parameter tensor inside a bucket: where its gradient lies and what shape it has.
struct Layer {
  std::string name;
  std::int64_t offset = 0;  ///< first value in the bucket
  std::vector<std::int64_t> shape;
  std::int64_t numel = 0;
};

/// Layers that are communicated together: their gradients, one after the other.
struct Bucket {
  std::vector<Layer> layers;
  std::span<float> values;
  /// Holds the memory of `values`; handed to the communicator (see comm::Buffer::owner).
  std::shared_ptr<void> owner = nullptr;
};

/// Averages gradients over the ranks of a communicator: the seam between DataParallel and a family
/// of compression. Owned and called by one communication thread. All ranks pass the same buckets in
/// the same order. State, where a family has any, is keyed by layer name, never by bucket.
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// Starts step number `step`. Everything a step sends belongs to one plan.
  virtual void begin_step(std::int64_t step) = 0;
  /// Replaces the values by their mean over all ranks: the same bits everywhere. Collective; blocks
  /// until done. @throws CommError.
  virtual void reduce(const Bucket& bucket) = 0;
  /// Ends the step, after all its buckets.
  virtual void end_step() = 0;
  /// Bytes that one rank sends for a dense layer of `numel` values among `ranks` ranks.
  [[nodiscard]] virtual std::int64_t wire_bytes(std::int64_t numel, int ranks) const = 0;
};

}  // namespace convoy::compress
