// SPDX-License-Identifier: Apache-2.0
// Schedules only, in virtual time: every algorithm on the same draws of clients. One JSON line for
// each draw and algorithm; bench/scheduling.py makes the table of docs/results/federated.md.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scheduler/generator.h"
#include "scheduler/simulator.h"

namespace {

using namespace convoy::scheduler;

struct Variant {
  std::string name;
  PolicyConfig policy;
};

PolicyConfig usual() {
  return {.min_local_steps = 40,
          .max_local_steps = 200,
          .initial_local_steps = 200,
          .speed_momentum = 0.9,
          .latest_time_factor = 1.2};
}

std::vector<Variant> variants(std::int64_t clients) {
  std::vector<Variant> all;
  all.push_back({"fedavg", usual()});
  all.back().policy.algorithm = Algorithm::kFedAvg;
  all.push_back({"fedasync", usual()});
  all.back().policy.algorithm = Algorithm::kFedAsync;
  all.push_back({"fedbuff", usual()});
  all.back().policy.algorithm = Algorithm::kFedBuff;
  all.back().policy.buffer_size = std::max<std::int64_t>(2, clients / 2);
  all.push_back({"fedcompass", usual()});
  all.push_back({"fedcompass, initial = min", usual()});
  all.back().policy.initial_local_steps = 40;
  all.push_back({"fedcompass, affine", usual()});
  all.back().policy.speed_model = SpeedModel::kAffine;
  return all;
}

struct Options {
  std::vector<std::int64_t> clients{5, 10, 20};
  std::int64_t draws = 60;
  double seconds = 6000.0;
  double noise = 0.05;
  double fixed_share = 0.0;  // of a longest round
};

/// Clients of one draw. The fixed cost is that share of each client's own longest round.
std::vector<SimulatedClient> draw_clients(const Options& options, Distribution distribution,
                                          std::int64_t clients, std::uint64_t seed) {
  ClientGenerator generator{.clients = clients, .distribution = distribution};
  generator.behaviour.noise = options.noise;
  auto drawn = generate_clients(generator, seed);
  for (auto& client : drawn) {
    const double steps = 200.0 * client.seconds_per_step[0];
    client.overhead_seconds = {steps * options.fixed_share / (1.0 - options.fixed_share)};
  }
  return drawn;
}

void run(const Options& options, Distribution distribution, std::int64_t clients,
         std::uint64_t draw) {
  Scenario scenario;
  scenario.seed = draw;
  scenario.seconds = options.seconds;
  scenario.clients = draw_clients(options, distribution, clients, draw);
  for (const Variant& variant : variants(clients)) {
    scenario.policy = variant.policy;
    const Summary summary = simulate(scenario);
    const nlohmann::ordered_json line{
        {"distribution", to_text(distribution)},
        {"clients", clients},
        {"draw", draw},
        {"fixed_share", options.fixed_share},
        {"algorithm", variant.name},
        {"steps_per_second", summary.local_steps_per_second()},
        {"versions", summary.versions},
        {"idle_share", summary.idle_share()},
        {"mean_staleness", summary.mean_staleness},
        {"late", summary.counts.late},
        {"received", summary.counts.received},
        {"lost", summary.counts.received - summary.counts.aggregated - summary.pending},
        {"arrival_error", summary.mean_error_share}};
    std::puts(line.dump().c_str());
  }
}

int run_all(int argc, char** argv) {
  CLI::App app("Schedules of all algorithms on the same draws of clients", "schedules");
  Options options;
  app.add_option("--clients", options.clients, "Numbers of clients");
  app.add_option("--draws", options.draws, "Draws for each number and distribution");
  app.add_option("--seconds", options.seconds, "Virtual seconds of each run");
  app.add_option("--noise", options.noise, "Standard deviation of a round's seconds per step");
  app.add_option("--fixed-share", options.fixed_share,
                 "Share of a client's longest round that does not depend on its steps");
  CLI11_PARSE(app, argc, argv);
  for (const auto distribution :
       {Distribution::kHomogeneous, Distribution::kNormal, Distribution::kExponential}) {
    for (const std::int64_t clients : options.clients) {
      for (std::int64_t draw = 0; draw < options.draws; ++draw) {
        run(options, distribution, clients, static_cast<std::uint64_t>(draw));
      }
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "schedules: %s\n", error.what());
    return 1;
  }
}
