// SPDX-License-Identifier: Apache-2.0
#include "scheduler/generator.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::scheduler {
namespace {

double relative_speed(const ClientGenerator& generator, Random random) {
  switch (generator.distribution) {
    case Distribution::kHomogeneous:
      return 1.0;
    case Distribution::kNormal:
      return 1.0 + generator.sigma * random.normal();
    case Distribution::kExponential:
      return -std::log(1.0 - random.uniform());
  }
  throw ContractError("unknown distribution");
}

}  // namespace

std::string_view to_text(Distribution distribution) {
  switch (distribution) {
    case Distribution::kHomogeneous:
      return "homogeneous";
    case Distribution::kNormal:
      return "normal";
    case Distribution::kExponential:
      return "exponential";
  }
  throw ContractError("unknown distribution");
}

std::vector<SimulatedClient> generate_clients(const ClientGenerator& generator,
                                              std::uint64_t seed) {
  constexpr std::uint64_t kSpeedStream = 0x7370656564ULL;
  std::vector<SimulatedClient> clients;
  clients.reserve(static_cast<std::size_t>(generator.clients));
  for (std::int64_t id = 0; id < generator.clients; ++id) {
    SimulatedClient& client = clients.emplace_back(generator.behaviour);
    client.id = id;
    const double speed =
        relative_speed(generator, Random({seed, kSpeedStream, static_cast<std::uint64_t>(id)}));
    client.seconds_per_step = {generator.mean_seconds_per_step *
                               std::max(speed, generator.fastest)};
  }
  return clients;
}

}  // namespace convoy::scheduler
