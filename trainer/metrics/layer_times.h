// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/timeline.h"

namespace convoy::trainer {

/// What one layer took, in seconds.
struct LayerSeconds {
  double forward = 0.0;
  double backward = 0.0;
  double compress = 0.0;  ///< encoding and decoding
  double wire = 0.0;
  double exposed = 0.0;  ///< of the time that computing waited
};
using LayerTimes = std::map<std::string, LayerSeconds>;

/// Which layers travel together, and what part of their message each one is.
class WireShares {
 public:
  WireShares() = default;
  /// @param buckets  layers by bucket. @param bytes  that each layer sends in a step; where a
  /// bucket's are all 0, its layers have equal parts.
  WireShares(const std::vector<std::vector<std::string>>& buckets,
             const std::map<std::string, double>& bytes);

  using Shares = std::vector<std::pair<std::string, double>>;
  /// All layers of the bucket that `layer` is in, with parts that add up to 1; of an unknown one
  /// nothing.
  [[nodiscard]] const Shares& of(const std::string& layer) const;

 private:
  std::vector<Shares> buckets_;
  std::map<std::string, std::size_t> bucket_of_;
};

/// Adds what `spans` say of layers to `sums`.
///   forward, backward, encode, decode: the spans that name the layer.
///   wire: where k collectives are under way, each gets 1/k of the time; the layers of its bucket
///   share that by the bytes that they send. Over all layers this adds up to the time in which any
///   collective was under way.
///   exposed: a wait that names a layer is that layer's. Other waits are shared by whatever
///   the communication thread does meanwhile: 1/k of each moment to each span, and from a
///   collective on as above. Waits while it does nothing (small exchanges of the computing thread)
///   are no layer's.
/// Pure; O(n log n) where few collectives overlap.
void add_layer_seconds(std::span<const Timeline::Span> spans, const WireShares& shares,
                       LayerTimes& sums);

}  // namespace convoy::trainer
