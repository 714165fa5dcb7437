// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/scaling_report.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/bench/step_measures.h"

namespace convoy::launch {
namespace {

using Json = nlohmann::ordered_json;

/// What the same ranks would get done if each were as fast as one rank alone: the usual efficiency.
double against_one(const std::vector<ScalingRun>& runs, const ScalingRun& run) {
  const auto one = std::ranges::find_if(runs, [&](const ScalingRun& other) {
    return other.ranks == 1 && other.growth == run.growth && other.family == run.family;
  });
  const double parts = run.growth == Growth::kWeak ? 1.0 : run.ranks;
  return one->report.together.seconds / (parts * run.report.together.seconds);
}

Json to_json(const ScalingRun& run) {
  const auto& report = run.report;
  Json row{{"growth", name(run.growth)},
           {"family", run.family},
           {"ranks", run.ranks},
           {"crowding", run.crowding},
           {"alone", report.alone.seconds},
           {"alone_spread", report.alone.spread},
           {"seconds", report.together.seconds},
           {"spread", report.together.spread},
           {"collectives", report.collectives}};
  row.update(measures_of(report));
  return row;
}

Json runs_of(const ScalingReport& report) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const ScalingCheck& check = report.forecast.checks[i];
    Json row = to_json(report.runs[i]);
    row["against_one"] = against_one(report.runs, report.runs[i]);
    row["model_alone"] = check.estimate.alone;
    row["model_seconds"] = check.estimate.seconds;
    row["model_error"] = check.error;
    row["held_out"] = check.held_out;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json to_json(const CostModel& model) {
  return {{"work", model.work},
          {"fixed", model.fixed},
          {"crowded", model.crowded},
          {"round", model.round},
          {"message", model.message},
          {"byte", model.byte},
          {"value", model.value},
          {"crowded_value", model.crowded_value},
          {"overlap", model.overlap},
          {"tail", model.tail},
          {"contention", model.contention}};
}

double efficiency(const CostEstimate& estimate) { return estimate.alone / estimate.seconds; }

Json to_json(const ForecastPoint& point) {
  return {{"growth", name(point.growth)},
          {"family", point.family},
          {"ranks", point.ranks},
          {"alone", point.estimate.alone},
          {"communication", point.estimate.communication},
          {"exposed", point.estimate.exposed},
          {"seconds", point.estimate.seconds},
          {"efficiency", efficiency(point.estimate)}};
}

std::string rows_text(const ScalingReport& report) {
  std::string text = fmt::format("{:7} {:9} {:>5}  {:>9}  {:>18}  {:>18}  {:>7}  {:>9}  {:>7}\n",
                                 "growth", "family", "ranks", "alone ms", "step ms", "efficiency",
                                 "to one", "model ms", "error %");
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const ScalingRun& run = report.runs[i];
    const ScalingCheck& check = report.forecast.checks[i];
    const StepTiming& step = run.report.together;
    text += fmt::format(
        "{:7} {:9} {:>5}  {:>9.1f}  {:>9.1f} +-{:>6.1f}  {:>9.3f} +-{:>6.3f}  {:>7.3f}  {:>9.1f}  "
        "{:>7.1f}{}\n",
        name(run.growth), run.family, run.ranks, run.report.alone.seconds * 1e3, step.seconds * 1e3,
        step.spread * 1e3, run.report.efficiency, run.report.efficiency_spread,
        against_one(report.runs, run), check.estimate.seconds * 1e3, check.error * 1e2,
        check.held_out ? "  held out" : "");
  }
  return text;
}

std::string model_text(const ScalingReport& report) {
  const CostModel& m = report.forecast.model;
  const auto& held_out = report.options.held_out;
  const std::string unseen =
      held_out.empty()
          ? "no runs were held out to check it"
          : fmt::format("at most {:.1f} % on those of {} ranks, held out",
                        report.forecast.largest_error(true) * 1e2, fmt::join(held_out, ", "));
  return fmt::format(
      "model: wrong by at most {:.1f} % on the runs that it is fitted to, {}\n"
      "  alone          {:.1f} ms a batch + {:.1f} ms + {:.1f} ms for each rank more on a core\n"
      "  communication  {:.2f} ms a collective + {:.1f} us a message + bytes at {:.1f} MB/s + "
      "codec "
      "{:.2f} ns a value\n"
      "                 (+ {:.2f} for each rank more on a core)\n"
      "  exposed        what {:.0f} % of a batch's time does not hide, at least {:.0f} %\n"
      "  contention     {:.1f} ms for each rank more on a core\n",
      report.forecast.largest_error(false) * 1e2, unseen, m.work * 1e3, m.fixed * 1e3,
      m.crowded * 1e3, m.round * 1e3, m.message * 1e6, m.byte > 0.0 ? 1e-6 / m.byte : 0.0,
      m.value * 1e9, m.crowded_value * 1e9, m.overlap * 1e2, m.tail * 1e2, m.contention * 1e3);
}

std::string ahead_text(const ScalingReport& report) {
  std::string text = fmt::format("{:7} {:9} {:>5}  {:>9}  {:>9}  {:>10}\n", "ahead", "family",
                                 "ranks", "alone ms", "step ms", "efficiency");
  for (const ForecastPoint& point : report.forecast.points) {
    text += fmt::format("{:7} {:9} {:>5}  {:>9.1f}  {:>9.1f}  {:>10.3f}\n", name(point.growth),
                        point.family, point.ranks, point.estimate.alone * 1e3,
                        point.estimate.seconds * 1e3, efficiency(point.estimate));
  }
  for (const std::string& assumption : assumptions())
    text += "  assuming that " + assumption + "\n";
  return text;
}

}  // namespace

std::string to_json(const ScalingBench& bench, const ScalingReport& report) {
  Json points = Json::array();
  for (const ForecastPoint& point : report.forecast.points) points.push_back(to_json(point));
  Json document{{"model_name", bench.step.job.model.name},
                {"batch", bench.step.job.train.batch_size},
                {"transport", report.transport},
                {"compute", compute_text(bench.step)},
                {"runs", runs_of(report)},
                {"held_out", report.options.held_out},
                {"model", to_json(report.forecast.model)},
                {"fitted_error", report.forecast.largest_error(false)}};
  if (!report.options.held_out.empty()) {
    document["held_out_error"] = report.forecast.largest_error(true);
  }
  document["forecast"] = std::move(points);
  document["assumptions"] = assumptions();
  return document.dump() + "\n";
}

std::string to_text(const ScalingBench& bench, const ScalingReport& report) {
  return fmt::format("{} with batches of {} over {}; compute {}\n", bench.step.job.model.name,
                     bench.step.job.train.batch_size, report.transport, compute_text(bench.step)) +
         rows_text(report) + model_text(report) + ahead_text(report);
}

}  // namespace convoy::launch
