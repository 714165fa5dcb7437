// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "launch/bench/all_reduce.h"

namespace convoy::launch {
namespace {

using Json = nlohmann::ordered_json;

// Bytes a second that each rank must send at least.
double bus_bandwidth(const AllReduceReport& report, std::size_t bytes, double seconds) {
  const double ranks = report.ranks;
  return 2.0 * (ranks - 1.0) / ranks * static_cast<double>(bytes) / seconds;
}

double share_of_line(const AllReduceReport& report, std::size_t bytes, double seconds) {
  return bus_bandwidth(report, bytes, seconds) / report.streams.rate;
}

Json to_json(const AllReduceReport& report, std::size_t bytes, const SumTiming& timing,
             bool computing) {
  Json json{{"seconds", timing.seconds},
            {"spread", timing.spread},
            {"busbw", bus_bandwidth(report, bytes, timing.seconds)},
            {"line_rate_share", share_of_line(report, bytes, timing.seconds)}};
  if (!computing) return json;
  json["compute_slowdown"] = timing.compute_slowdown;
  json["compute_slowdown_spread"] = timing.compute_slowdown_spread;
  return json;
}

std::string readable_bytes(std::size_t bytes) {
  if (bytes >= std::size_t{1} << 20) return fmt::format("{} MB", bytes >> 20);
  return bytes >= 1024 ? fmt::format("{} KB", bytes >> 10) : fmt::format("{} B", bytes);
}

}  // namespace

std::string to_json(const AllReduceReport& report) {
  Json rows = Json::array();
  for (const AllReduceRow& row : report.rows) {
    Json json{{"bytes", row.bytes}, {"cores", row.computing ? "computing" : "idle"}};
    json.update(to_json(report, row.bytes, row.ours, row.computing));
    json["stock"] = to_json(report, row.bytes, row.stock, row.computing);
    json["stock_ratio"] = row.ours.seconds / row.stock.seconds;
    json["checked"] = true;
    rows.push_back(std::move(json));
  }
  const Json document{{"ranks", report.ranks},
                      {"transport", report.transport},
                      {"line_rate", report.streams.rate},
                      {"line_rate_computing", report.streams.computing_rate},
                      {"stream_compute_slowdown", report.streams.compute_slowdown},
                      {"repeats", report.repeats},
                      {"compute_threads", report.compute_threads},
                      {"rows", std::move(rows)}};
  return document.dump() + "\n";
}

std::string to_text(const AllReduceReport& report) {
  std::string text = fmt::format(
      "{} ranks over {}; plain streams carry {:.1f} MB/s, {:.1f} MB/s while cores compute, slowed "
      "{:.3f}\n",
      report.ranks, report.transport, report.streams.rate / 1e6,
      report.streams.computing_rate / 1e6, report.streams.compute_slowdown);
  text += fmt::format("{:>8}  {:9}  {:>10}  {:>6}  {:>6}  {:>8}  {:>10}  {:>6}  {:>6}  {:>8}\n",
                      "size", "cores", "ours ms", "+-%", "line", "slowdown", "MPI ms", "line",
                      "ratio", "slowdown");
  for (const AllReduceRow& row : report.rows) {
    const auto slowdown = [&](const SumTiming& timing) {
      return row.computing ? fmt::format("{:.3f}", timing.compute_slowdown) : std::string("-");
    };
    text += fmt::format(
        "{:>8}  {:9}  {:>10.3f}  {:>6.1f}  {:>6.3f}  {:>8}  {:>10.3f}  {:>6.3f}  {:>6.3f}  {:>8}\n",
        readable_bytes(row.bytes), row.computing ? "computing" : "idle", row.ours.seconds * 1e3,
        100 * row.ours.spread / row.ours.seconds,
        share_of_line(report, row.bytes, row.ours.seconds), slowdown(row.ours),
        row.stock.seconds * 1e3, share_of_line(report, row.bytes, row.stock.seconds),
        row.ours.seconds / row.stock.seconds, slowdown(row.stock));
  }
  return text;
}

}  // namespace convoy::launch
