// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/timeline.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/internal/gradient_hooks.h"
#include "trainer/parallel/internal/parameter_watch.h"

namespace convoy::trainer::internal {

/// Tells a timeline how long each layer computes, as far as that can be seen from outside:
///   forward: from the first operation on a parameter until one on a parameter of another module
///   (names up to the last dot), so that a module's time is that of the parameter it uses first;
///   backward: until a gradient is there, from when the one before it was.
/// Lives, and is called, in the thread that computes; backward may use others.
class LayerWatch {
 public:
  /// Parameters that are trained. Borrows `timeline`.
  LayerWatch(const std::vector<NamedTensor>& parameters, Timeline& timeline);

  /// From here on operations count as forward.
  void begin_forward();
  void end_forward();
  /// From here on gradients count.
  void begin_backward();
  void end_backward();

 private:
  using Clock = Timeline::Clock;

  void on_use(std::size_t parameter);
  void on_gradient(std::size_t parameter);
  void close();

  std::vector<std::string> names_;
  std::vector<std::string> modules_;  // by parameter
  Timeline& timeline_;
  std::optional<std::size_t> open_;  // the parameter whose module forward is in
  Clock::time_point opened_{};
  std::mutex mutex_;  // guards the two below: each device has a backward thread
  bool in_backward_ = false;
  Clock::time_point last_gradient_{};
  // Last: they call in here.
  ParameterWatch uses_;
  GradientHooks gradients_;
};

}  // namespace convoy::trainer::internal
