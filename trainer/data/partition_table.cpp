// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/partition_table.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <numeric>

namespace convoy::trainer {
namespace {

constexpr int kNameWidth = 8;
constexpr int kCountWidth = 7;

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::reduce(counts.begin(), counts.end());
}

std::vector<std::int64_t> totals_of(const ClassCounts& counts) {
  std::vector<std::int64_t> totals(counts.empty() ? 0 : counts.front().size());
  for (const auto& client : counts) {
    for (std::size_t c = 0; c < totals.size(); ++c) totals[c] += client[c];
  }
  return totals;
}

std::string line(const std::string& name, const std::vector<std::int64_t>& counts) {
  std::string text = fmt::format("{:>{}}{:>{}}  ", name, kNameWidth, sum(counts), kCountWidth + 3);
  for (const std::int64_t count : counts) text += fmt::format("{:>{}}", count, kCountWidth);
  return text + "\n";
}

}  // namespace

ClassCounts count_classes(const Partition& partition, std::span<const std::int64_t> labels,
                          std::int64_t classes) {
  ClassCounts counts;
  for (const auto& samples : partition) {
    auto& own = counts.emplace_back(static_cast<std::size_t>(classes));
    for (const std::int64_t sample : samples) {
      ++own[static_cast<std::size_t>(labels[static_cast<std::size_t>(sample)])];
    }
  }
  return counts;
}

double heterogeneity(const ClassCounts& counts) {
  const auto totals = totals_of(counts);
  const auto all = static_cast<double>(sum(totals));
  double score = 0.0;
  for (const auto& client : counts) {
    const auto own = static_cast<double>(sum(client));
    for (std::size_t c = 0; own > 0 && c < totals.size(); ++c) {
      // own / all times half of |client[c] / own - totals[c] / all|
      score +=
          0.5 *
          std::abs(static_cast<double>(client[c]) - own * static_cast<double>(totals[c]) / all) /
          all;
    }
  }
  return score;
}

std::string format_table(const ClassCounts& counts) {
  const auto totals = totals_of(counts);
  std::string text =
      fmt::format("{:>{}}{:>{}}  ", "client", kNameWidth, "samples", kCountWidth + 3);
  for (std::size_t c = 0; c < totals.size(); ++c) text += fmt::format("{:>{}}", c, kCountWidth);
  text += "\n";
  for (std::size_t i = 0; i < counts.size(); ++i) text += line(std::to_string(i), counts[i]);
  text += line("all", totals);
  return text + fmt::format("heterogeneity {:.3f} (mean total variation distance to all)\n",
                            heterogeneity(counts));
}

}  // namespace convoy::trainer
