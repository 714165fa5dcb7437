// SPDX-License-Identifier: Apache-2.0
#include "trainer/summary.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace convoy::trainer {
namespace {

/// JSON has no NaN.
nlohmann::ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json json{
      {"accuracy", finite_or_null(summary.accuracy)},
      {"loss", finite_or_null(summary.loss)},
      {"train_loss", finite_or_null(summary.train_loss)},
      {"steps", summary.steps},
      {"epochs", summary.epochs},
      {"samples", summary.samples},
      {"samples_per_second", summary.samples_per_second},
      {"seconds", summary.seconds},
      {"ranks", summary.ranks},
      {"parameters_hash", summary.parameters_hash},
      {"bytes_sent", summary.bytes_sent},
      {"compression_ratio", summary.compression_ratio},
      {"skipped_steps", summary.skipped_steps},
      {"interrupted", summary.interrupted},
  };
  if (summary.chunk_kb > 0) json["chunk_kb"] = summary.chunk_kb;
  return json.dump(2);
}

}  // namespace convoy::trainer
