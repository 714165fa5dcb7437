// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace convoy::launch {

/// A step as far as its cost goes.
struct CostCase {
  double work = 1.0;         ///< forward and backward of a rank, in units of a whole batch
  double crowding = 1.0;     ///< ranks a core
  double collectives = 0.0;  ///< one after the other
  double messages = 0.0;     ///< that a rank sends
  double bytes = 0.0;        ///< that a rank sends
  double values = 0.0;       ///< that a rank compresses
};

/// A measured one; all in seconds.
struct CostRun {
  CostCase what;
  double alone = 0.0;    ///< a step without communication
  double wire = 0.0;     ///< inside collectives
  double codec = 0.0;    ///< encoding and decoding
  double seconds = 0.0;  ///< the whole step
};

struct CostEstimate {
  double alone = 0.0;
  double communication = 0.0;  ///< collectives and codec
  double exposed = 0.0;        ///< what compute does not hide of it
  double seconds = 0.0;
};

/// What a training step costs:
///
///   alone         = work + fixed + crowded
///   communication = round x collectives + message x messages x crowding + byte x bytes
///                   + (value + crowded_value x (crowding - 1)) x values
///   exposed       = the larger of communication - overlap x work and tail x communication
///   seconds       = alone + exposed + contention
///
/// where crowded and contention are for each rank that a core has beyond one. Parameters in
/// seconds, never negative.
struct CostModel {
  double work = 0.0;           ///< forward and backward of a whole batch
  double fixed = 0.0;          ///< what the batch does not change: the optimizer
  double crowded = 0.0;        ///< a step alone, for each rank more on a core
  double round = 0.0;          ///< latency of a collective
  double message = 0.0;        ///< a message, which takes a core
  double byte = 0.0;           ///< 1 / bandwidth
  double value = 0.0;          ///< codec
  double crowded_value = 0.0;  ///< codec, for each rank more on a core
  double overlap = 0.0;        ///< share of `work` that hides communication
  double tail = 0.0;           ///< share of communication that comes after the last gradient
  double contention = 0.0;     ///< a step together, for each rank more on a core

  [[nodiscard]] CostEstimate estimate(const CostCase& what) const;
};

/// Least squares, every run in units of its own seconds: first what a step alone takes, the wire
/// and the codec by what has been measured of them, then overlap, tail (in steps of 0.01) and
/// contention by the whole steps. What runs cannot tell apart is 0. Pure; takes about 10^4 times
/// the runs.
/// @throws ContractError for no runs, or a run that takes no time.
[[nodiscard]] CostModel fit_cost_model(std::span<const CostRun> runs);

}  // namespace convoy::launch
