// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/half.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// The error-feedback memory of this rank, by layer: what its peers have not yet received. A step
/// works on copies, which commit() makes final and discard() forgets, so that a step that is not
/// applied leaves no trace.
/// Paper: arXiv:1901.09847.
class Residuals {
 public:
  enum class Storage : std::uint8_t { kFloat32, kBFloat16, kOff };
  explicit Residuals(Storage storage) : storage_(storage) {}

  /// Room for the layers of one bucket; ends the use of earlier owed() spans.
  void begin_bucket(std::int64_t numel);
  /// residual + gradient of one layer, to be written to until keep().
  [[nodiscard]] std::span<float> owed(const std::string& layer, std::span<const float> gradient);
  /// What is left in `owed` becomes the layer's residual, when committed.
  void keep(const std::string& layer, std::span<const float> owed);
  /// True when this layer may owe something.
  [[nodiscard]] bool owes(const std::string& layer) const;
  /// gradient += residual, and nothing is owed then: the layer goes dense.
  void pay(const std::string& layer, std::span<float> gradient);
  void commit();
  void discard();
  void discard(const std::string& layer);
  /// Forgets everything: nothing is owed.
  void clear() { entries_.clear(); }

  /// Sum of squares of all that is owed. One pass over everything.
  [[nodiscard]] double squared_norm() const;
  /// Memory of the residuals and of the step's copies.
  [[nodiscard]] std::size_t bytes() const;
  void save(ReducerState& state) const;
  void load(const ReducerState& state);

 private:
  struct Entry {
    std::vector<float> current, next;         // kFloat32
    std::vector<BFloat16> current16, next16;  // kBFloat16
    bool pending = false;
  };

  Storage storage_;
  std::map<std::string, Entry> entries_;
  std::vector<float> scratch_;  // owed() of one bucket, where `next` is not of float32
  std::size_t scratch_used_ = 0;
};

}  // namespace convoy::compress::internal
