// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/half.h"
#include "compress/reduce/array.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// The error-feedback memory of this rank, by layer: what its peers have not yet received. A step
/// works on copies, which commit() makes final and discard() forgets, so that a step that is not
/// applied leaves no trace.
/// Paper: arXiv:1901.09847.
class Residuals {
 public:
  enum class Storage : std::uint8_t { kFloat32, kBFloat16, kOff };
  /// All spans and residuals lie where `executor` works.
  Residuals(Storage storage, std::shared_ptr<Executor> executor)
      : storage_(storage), executor_(std::move(executor)) {}

  /// Room for what the layers of one bucket owe, where that is not stored as float32.
  class Room {
   public:
    /// Ends the use of earlier spans.
    void begin_bucket(std::int64_t numel) { numel_ = numel, used_ = 0; }
    [[nodiscard]] std::span<float> take(Executor& executor, std::size_t count);

   private:
    std::int64_t numel_ = 0;
    std::size_t used_ = 0;
    Array<float> values_;
  };

  /// residual + gradient of one layer, to be written to until keep().
  [[nodiscard]] std::span<float> owed(const std::string& layer, std::span<const float> gradient,
                                      Room& room);
  /// What is left in `owed` becomes the layer's residual, when committed.
  void keep(const std::string& layer, std::span<const float> owed);
  /// True when this layer may owe something.
  [[nodiscard]] bool owes(const std::string& layer) const;
  /// gradient += residual, and nothing is owed then: the layer goes dense.
  void pay(const std::string& layer, std::span<float> gradient, Room& room);
  void commit();
  void discard();
  void discard(const std::string& layer);
  /// Forgets everything: nothing is owed.
  void clear() { entries_.clear(); }

  /// Sum of squares of all that is owed. One pass over everything, on the host.
  [[nodiscard]] double squared_norm() const;
  /// Memory of the residuals and of the step's copies, without Rooms.
  [[nodiscard]] std::size_t bytes() const;
  void save(ReducerState& state) const;
  void load(const ReducerState& state);

 private:
  struct Entry {
    Array<float> current, next;         // kFloat32
    Array<BFloat16> current16, next16;  // kBFloat16
    bool pending = false;
  };

  Storage storage_;
  std::shared_ptr<Executor> executor_;  // shared with the Reducer
  std::map<std::string, Entry> entries_;
};

}  // namespace convoy::compress::internal
