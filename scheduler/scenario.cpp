// SPDX-License-Identifier: Apache-2.0
#include "scheduler/scenario.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::scheduler {
namespace {

constexpr double kSlowestFactor = 0.1;  // noise never makes a client faster than ten times

double by_round(const std::vector<double>& values, std::int64_t round) {
  return values[std::min(static_cast<std::size_t>(round), values.size() - 1)];
}

/// The random numbers of one round, always drawn in the same order.
struct Draws {
  explicit Draws(Random random)
      : speed(random.normal()), absence(random.uniform()), vanishing(random.uniform()) {}

  double speed;
  double absence;
  double vanishing;
};

Draws draws_of(const SimulatedClient& client, std::uint64_t seed, std::int64_t round) {
  constexpr std::uint64_t kRoundStream = 0x726f756e64ULL;
  return Draws(Random({seed, kRoundStream, static_cast<std::uint64_t>(client.id),
                       static_cast<std::uint64_t>(round)}));
}

double drift_factor(const SimulatedClient& client, std::uint64_t seed, std::int64_t round) {
  constexpr std::uint64_t kPhaseStream = 0x7068617365ULL;
  const double phase =
      Random({seed, kPhaseStream, static_cast<std::uint64_t>(client.id)}).uniform();
  const double turns = static_cast<double>(round) / client.drift_rounds + phase;
  return 1.0 + client.drift * std::sin(2.0 * std::numbers::pi * turns);
}

}  // namespace

SimulatedRound simulate_round(const SimulatedClient& client, std::uint64_t seed, std::int64_t round,
                              std::int64_t local_steps) {
  double seconds_per_step = by_round(client.seconds_per_step, round);
  SimulatedRound result;
  for (const auto& absence : client.absences) {
    if (absence.after_arrivals == round) result.absent += absence.seconds;
  }
  result.ends = !client.vanish_after_arrivals || round < *client.vanish_after_arrivals;
  if (client.drift > 0.0) seconds_per_step *= drift_factor(client, seed, round);
  if (client.noise > 0.0 || client.absence_probability > 0.0 || client.vanish_probability > 0.0) {
    const Draws draws = draws_of(client, seed, round);
    seconds_per_step *= std::max(kSlowestFactor, 1.0 + client.noise * draws.speed);
    if (draws.absence < client.absence_probability) result.absent += client.absence_seconds;
    if (draws.vanishing < client.vanish_probability) result.ends = false;
  }
  result.seconds = static_cast<double>(local_steps) * seconds_per_step +
                   by_round(client.overhead_seconds, round) + result.absent;
  require_config(
      std::isfinite(result.seconds),
      fmt::format("round {} of client {} takes too long for a number", round, client.id));
  return result;
}

}  // namespace convoy::scheduler
