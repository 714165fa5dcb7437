// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "compress/cuda/internal/kernel.h"

// Compaction: every item says how much it will write, a prefix sum says where, then it writes. The
// sums are of integers, so their order does not matter. Items are cut into tiles, one a block:
//   CountTiles   the sum of each tile
//   ScanTiles    what comes before each tile, in one block
//   WriteTiles   the prefix sum within a tile, and the writing
// A Source has size(); count(from, to), the sum of some items; write(from, to, before).

namespace convoy::compress::cuda {

inline constexpr int kTileThreads = 256;
inline constexpr int kItems = 8;  ///< of a thread, side by side
inline constexpr std::int64_t kTile = kTileThreads * kItems;

/// Two sums at once.
struct Pair {
  std::uint64_t first;
  std::uint64_t second;

  CONVOY_HOST_DEVICE Pair& operator+=(const Pair& other) {
    first += other.first;
    second += other.second;
    return *this;
  }
};

/// The prefix sum of one Pair a thread, in three phases: each thread writes of_thread[thread]; then
/// scan_segments(); then scan_joined(). before() is valid in the phase after that.
struct ScanShared {
  static constexpr int kSegment = 16;

  Pair of_thread[kTileThreads];
  Pair of_segment[kTileThreads / kSegment];
  Pair total;

  CONVOY_HOST_DEVICE void scan_segments(ThreadAt at) {
    if (at.thread >= kTileThreads / kSegment) return;
    of_segment[at.thread] = to_prefix_sums(of_thread + at.thread * kSegment, kSegment);
  }

  CONVOY_HOST_DEVICE void scan_joined(ThreadAt at) {
    if (at.thread == 0) total = to_prefix_sums(of_segment, kTileThreads / kSegment);
  }

  /// The sum of all threads before this one.
  [[nodiscard]] CONVOY_HOST_DEVICE Pair before(ThreadAt at) const {
    Pair sum = of_segment[at.thread / kSegment];
    return sum += of_thread[at.thread];
  }

 private:
  /// Replaces each by the sum of those before it, and returns the sum of all.
  CONVOY_HOST_DEVICE static Pair to_prefix_sums(Pair* pairs, int count) {
    Pair sum{0, 0};
    for (int i = 0; i < count; ++i) {
      const Pair own = pairs[i];
      pairs[i] = sum;
      sum += own;
    }
    return sum;
  }
};

/// The items of one thread.
struct Stretch {
  std::int64_t from;
  std::int64_t to;
};

[[nodiscard]] CONVOY_HOST_DEVICE inline Stretch stretch_of(ThreadAt at, std::int64_t size) {
  const std::int64_t from = at.index() * kItems;
  return {std::min(from, size), std::min(from + kItems, size)};
}

template <typename Source>
struct CountTiles {
  static constexpr int kPhases = 4;
  using Shared = ScanShared;

  Source source;
  DeviceSpan<Pair> tiles;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    const Stretch own = stretch_of(at, source.size());
    shared.of_thread[at.thread] = source.count(own.from, own.to);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    shared.scan_segments(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    shared.scan_joined(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) tiles[at.block] = shared.total;
  }
};

/// Replaces the sum of each tile by that of the tiles before it; the last element, after all tiles,
/// becomes the sum of all. One block.
struct ScanTiles {
  static constexpr int kPhases = 4;
  using Shared = ScanShared;

  DeviceSpan<Pair> tiles;  ///< one more than there are tiles

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    const Stretch own = stretch(at);
    Pair sum{0, 0};
    for (std::int64_t i = own.from; i < own.to; ++i) sum += tiles[i];
    shared.of_thread[at.thread] = sum;
  }
  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    shared.scan_segments(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    shared.scan_joined(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    const Stretch own = stretch(at);
    Pair sum = shared.before(at);
    for (std::int64_t i = own.from; i < own.to; ++i) {
      const Pair tile = tiles[i];
      tiles[i] = sum;
      sum += tile;
    }
    if (at.thread == 0) tiles[tiles.size() - 1] = shared.total;
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE Stretch stretch(ThreadAt at) const {
    const std::int64_t count = tiles.size() - 1;
    const std::int64_t each = (count + at.threads - 1) / at.threads;
    return {std::min(at.thread * each, count), std::min((at.thread + 1) * each, count)};
  }
};

template <typename Source>
struct WriteTiles {
  static constexpr int kPhases = 4;
  using Shared = ScanShared;

  Source source;
  DeviceSpan<const Pair> tiles;  ///< after ScanTiles

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    const Stretch own = stretch_of(at, source.size());
    shared.of_thread[at.thread] = source.count(own.from, own.to);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    shared.scan_segments(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    shared.scan_joined(at);
  }
  CONVOY_HOST_DEVICE void operator()(Phase<3>, ThreadAt at, Shared& shared) const {
    const Stretch own = stretch_of(at, source.size());
    Pair before = tiles[at.block];
    source.write(own.from, own.to, before += shared.before(at));
  }
};

/// Queues CountTiles and ScanTiles. `tiles` has one more element than there are tiles.
template <typename Runner, typename Source>
void count_and_scan(Runner& runner, const Source& source, DeviceSpan<Pair> tiles) {
  runner.launch(CountTiles<Source>{source, tiles}, tiles.size() - 1, kTileThreads);
  runner.launch(ScanTiles{tiles}, 1, kTileThreads);
}

template <typename Runner, typename Source>
void write_tiles(Runner& runner, const Source& source, DeviceSpan<Pair> tiles) {
  runner.launch(WriteTiles<Source>{source, tiles}, tiles.size() - 1, kTileThreads);
}

}  // namespace convoy::compress::cuda
