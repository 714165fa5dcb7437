// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::compress {

/// [compression] of the job file.
struct CompressionConfig {
  std::string family = "none";  ///< "none" | "half" | "quantize" | "top_k" | "power_sgd"
  /// "uniform": every layer at `level`; "lgreco": one level each, where the family has several.
  std::string policy = "lgreco";
  /// The reference level: bits, density or rank. Larger: more bytes, less error. 0: the family's
  /// default (quantize 4, top_k 0.05, power_sgd 4; why: docs/results/compression.md).
  double level = 0.0;
  /// Levels that lgreco chooses from, beside dense. Empty: the family's default list.
  std::vector<double> candidates;
  /// lgreco's error budget over that of the uniform plan at `level`. Larger: fewer bytes.
  double alpha = 1.0;
  /// What a plan minimises: "bytes", or predicted "time" of a step, and then any layer may go as
  /// half or dense, and steps are compared with dense ones now and then. Timings differ from run to
  /// run, and so do plans.
  std::string objective = "bytes";
  /// objective "time": steps between two comparisons; more where they are clear. 0: none.
  std::int64_t guard_every = 200;
  /// How errors of layers add up: "squared_l2" | "l2" | "normalized" (by each layer's mean square:
  /// for adaptive optimizers) | "auto": as the optimizer of the job needs it, else squared_l2.
  std::string error_metric = "auto";
  std::int64_t warmup_steps = 0;   ///< dense steps at the start
  std::int64_t adapt_every = 100;  ///< steps between two plans
  std::int64_t plan_lag = 10;      ///< steps between the end of a window and its plan taking effect
  std::int64_t window = 10;        ///< steps whose gradients make a plan
  std::int64_t min_numel = 1024;   ///< smaller layers, and those of one dimension, go dense
  std::vector<std::string> exclude;  ///< globs of layer names that go dense
  std::string residual = "float32";  ///< error feedback: "float32" | "bfloat16" | "off"
  std::int64_t shadow_steps = 0;     ///< steps after warm-up that only compare with dense averaging
  std::int64_t group = 512;          ///< quantize: values that share one scale
  std::string rounding = "nearest";  ///< quantize: "nearest" | "stochastic"
  std::string values = "float32";    ///< top_k: values on the wire, "float32" | "float16"
  /// top_k: from this many ranks on, chunks are added up by owners that send the largest values of
  /// the mean on, instead of everybody sending everything to everybody. Larger: less is lost in a
  /// step, and more bytes are sent by many ranks.
  std::int64_t two_hop_ranks = 16;
  std::string half_type = "float16";  ///< half: "float16" | "bfloat16"
};

/// The level of `config`, with the family's default filled in.
[[nodiscard]] double reference_level(const CompressionConfig& config);
/// The candidates of `config`, with the family's default filled in; ascending.
[[nodiscard]] std::vector<double> candidate_levels(const CompressionConfig& config);
/// True for layers that are compressed: of two or more dimensions, not small, not excluded.
[[nodiscard]] bool compresses(const CompressionConfig& config, const std::string& layer,
                              const std::vector<std::int64_t>& shape, std::int64_t numel);
/// True where layers get levels of their own: policy "lgreco" and a family with several levels.
[[nodiscard]] bool plans_levels(const CompressionConfig& config);
/// @throws ConfigError that names the key, as the job file spells it, whose value cannot be.
void check(const CompressionConfig& config);

}  // namespace convoy::compress
