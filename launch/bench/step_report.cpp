// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "launch/bench/step.h"
#include "launch/bench/step_measures.h"

namespace convoy::launch {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const StepTiming& timing) {
  return {{"seconds", timing.seconds},
          {"spread", timing.spread},
          {"forward", timing.parts.forward},
          {"backward", timing.parts.backward},
          {"optimizer", timing.parts.optimizer}};
}

std::string parts_of(const StepTiming& timing) {
  return fmt::format("(forward {:.1f}, backward {:.1f}, optimizer {:.1f})",
                     timing.parts.forward * 1e3, timing.parts.backward * 1e3,
                     timing.parts.optimizer * 1e3);
}

std::string compression_of(const StepBench& bench) {
  const auto& config = bench.job.compression;
  if (config.family == "none") return "dense";
  return compress::plans_levels(config) ? config.family + ", planned levels"
                                        : config.family + ", one level";
}

}  // namespace

std::string compute_text(const StepBench& bench) {
  return bench.sleep ? fmt::format("sleep:{:g}ms", bench.sleep->count() * 1e3) : "real";
}

std::string to_json(const StepBench& bench, const StepReport& report, int ranks,
                    const std::string& transport) {
  const auto& job = bench.job;
  Json document{{"model", job.model.name},
                {"batch", job.train.batch_size},
                {"ranks", ranks},
                {"transport", transport},
                {"compute", compute_text(bench)},
                {"family", job.compression.family},
                {"policy", job.compression.policy},
                {"alone", to_json(report.alone)},
                {"together", to_json(report.together)}};
  document.update(measures_of(report));
  return document.dump() + "\n";
}

std::string to_text(const StepBench& bench, const StepReport& report, int ranks,
                    const std::string& transport) {
  const auto ms = [](double seconds) { return seconds * 1e3; };
  return fmt::format(
      "{} with batches of {} on {} ranks over {}; {}; compute {}; {} of {} steps\n"
      "  alone       {:9.2f} ms  +- {:.2f}  {}\n"
      "  together    {:9.2f} ms  +- {:.2f}  {}\n"
      "  efficiency  {:9.4f}     +- {:.4f}\n"
      "  exposed     {:9.2f} ms of communication that compute does not hide\n"
      "  encode      {:9.2f} ms\n"
      "  wire        {:9.2f} ms\n"
      "  decode      {:9.2f} ms\n"
      "  bytes       {:9.0f} a rank and step; dense gradients {:.0f}\n",
      bench.job.model.name, bench.job.train.batch_size, ranks, transport, compression_of(bench),
      compute_text(bench), report.is_mean ? "mean" : "median", report.steps,
      ms(report.alone.seconds), ms(report.alone.spread), parts_of(report.alone),
      ms(report.together.seconds), ms(report.together.spread), parts_of(report.together),
      report.efficiency, report.efficiency_spread, ms(report.together.parts.exposed),
      ms(seconds_of(report, Phase::kEncode)), ms(seconds_of(report, Phase::kWire)),
      ms(seconds_of(report, Phase::kDecode)), report.bytes, report.dense_bytes);
}

}  // namespace convoy::launch
