// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "compress/codec/internal/dot_order.h"
#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// A factor, column after column, and float64 memory for one column.
struct OrthogonaliseTask {
  DeviceSpan<float> factor;
  DeviceSpan<double> work;  ///< as many as there are rows
};

/// As orthogonalise() of the CPU: one block of kDotLanes threads for each factor. A thread has one
/// lane of the dot products (dot_order.h) and those elements of every column that belong to it, and
/// no other's. Each round of the phases goes over one column once: it takes out the projection that
/// the last round has measured, and measures the next.
struct Orthogonalise {
  static constexpr int kPhases = 4;
  static constexpr int kRepeatFrom = 1;
  static constexpr int kMostTasks = 64;  ///< of a launch, whose arguments may have 4 KB
  static constexpr int kFolders = 16;    ///< threads that fold the lanes, as many each

  enum class Step { kLoad, kProject, kStore, kDone };

  struct Shared {
    double lanes[math::kDotLanes];
    double folded[kFolders];
    Step step;
    std::int64_t column;
    std::int64_t other;  ///< whose part in the column this round measures; `column`: the norm
    double length;       ///< of the projection on the one before `other`
    double before;       ///< norm of the column as it came
    double last;         ///< and before the projections that are being done
    double left;         ///< and now
  };

  OrthogonaliseTask tasks[kMostTasks];

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    if (at.thread != 0) return;
    shared.column = 0;
    shared.step = tasks[at.block].factor.size() == 0 ? Step::kDone : Step::kLoad;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    const OrthogonaliseTask& task = tasks[at.block];
    switch (shared.step) {
      case Step::kLoad:
        return load(task, at, shared);
      case Step::kProject:
        return project(task, at, shared);
      case Step::kStore:
        return store(task, at, shared);
      case Step::kDone:
        return;
    }
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread >= kFolders) return;
    constexpr int kEach = math::kDotLanes / kFolders;
    double own[kEach];
    for (int i = 0; i < kEach; ++i) own[i] = shared.lanes[i * kFolders + at.thread];
    shared.folded[at.thread] = math::fold_halves(own, kEach);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) go_on(tasks[at.block], shared);
  }

  [[nodiscard]] CONVOY_HOST_DEVICE bool done(const Shared& shared) const {
    return shared.step == Step::kDone;
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE static DeviceSpan<float> column(const OrthogonaliseTask& task,
                                                                   std::int64_t index) {
    return task.factor.part(index * task.work.size(), task.work.size());
  }

  CONVOY_HOST_DEVICE static void load(const OrthogonaliseTask& task, ThreadAt at, Shared& shared) {
    const auto own = column(task, shared.column);
    double sum = 0.0;
    for (std::int64_t i = at.thread; i < own.size(); i += math::kDotLanes) {
      const double value = static_cast<double>(own[i]);
      task.work[i] = value;
      sum += value * value;
    }
    shared.lanes[at.thread] = sum;
  }

  CONVOY_HOST_DEVICE static void project(const OrthogonaliseTask& task, ThreadAt at,
                                         Shared& shared) {
    const bool takes_out = shared.other > 0;
    const bool wants_norm = shared.other == shared.column;
    // Where one is not wanted, any column will do.
    const auto former = column(task, takes_out ? shared.other - 1 : 0);
    const auto next = column(task, shared.other);
    const double length = shared.length;
    double sum = 0.0;
    for (std::int64_t i = at.thread; i < task.work.size(); i += math::kDotLanes) {
      double value = task.work[i];
      if (takes_out) {
        value -= length * static_cast<double>(former[i]);
        task.work[i] = value;
      }
      sum += value * (wants_norm ? value : static_cast<double>(next[i]));
    }
    shared.lanes[at.thread] = sum;
  }

  CONVOY_HOST_DEVICE static void store(const OrthogonaliseTask& task, ThreadAt at, Shared& shared) {
    const auto own = column(task, shared.column);
    const bool keeps = has_direction(shared);
    for (std::int64_t i = at.thread; i < own.size(); i += math::kDotLanes) {
      own[i] = keeps ? static_cast<float>(task.work[i] / shared.left) : 0.0F;
    }
  }

  /// False for a column of values that are not finite, too.
  [[nodiscard]] CONVOY_HOST_DEVICE static bool has_direction(const Shared& shared) {
    return shared.left > math::kDependent * shared.before;
  }

  /// What the next round does.
  CONVOY_HOST_DEVICE static void go_on(const OrthogonaliseTask& task, Shared& shared) {
    switch (shared.step) {
      case Step::kLoad:
        shared.before = shared.left = std::sqrt(math::fold_halves(shared.folded, kFolders));
        return project_if(shared.column > 0, shared);
      case Step::kProject:
        return after_projection(shared);
      case Step::kStore: {
        ++shared.column;
        const bool was_last = shared.column * task.work.size() == task.factor.size();
        shared.step = was_last ? Step::kDone : Step::kLoad;
        return;
      }
      case Step::kDone:
        return;
    }
  }

  CONVOY_HOST_DEVICE static void after_projection(Shared& shared) {
    const double sum = math::fold_halves(shared.folded, kFolders);
    if (shared.other < shared.column) {
      shared.length = sum;
      ++shared.other;
      return;
    }
    shared.left = std::sqrt(sum);
    project_if(shared.left < math::kCancelled * shared.last, shared);
  }

  /// Takes out all projections (once more), if `wanted` and there is something left.
  CONVOY_HOST_DEVICE static void project_if(bool wanted, Shared& shared) {
    shared.step = wanted && has_direction(shared) ? Step::kProject : Step::kStore;
    shared.last = shared.left;
    shared.other = 0;
  }
};

}  // namespace convoy::compress::cuda
