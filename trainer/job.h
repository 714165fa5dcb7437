// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/compression_config.h"
#include "trainer/checkpoint/checkpoint_config.h"
#include "trainer/data/data_config.h"
#include "trainer/federated/federation_config.h"
#include "trainer/metrics/metrics.h"
#include "trainer/models/model_config.h"
#include "trainer/optim/optim_config.h"
#include "trainer/privacy/privacy_config.h"
#include "trainer/sites/sites_config.h"

namespace convoy::trainer {

/// [run] of the job file.
struct RunConfig {
  std::string name = "run";
  std::uint64_t seed = 1;
  std::string output;                 ///< run directory; empty: runs/<name>
  std::int64_t threads_per_rank = 1;  ///< of LibTorch and OpenBLAS alike
  /// Where ranks train: "cpu"; "cuda": one GPU each; "mixed": on GPUs as far as they go round on
  /// each host, else on the CPU; "auto": "cuda" with backend "nccl", else "cpu".
  std::string device = "auto";
  std::int64_t verify_replicas_every = 0;  ///< steps between two checks that ranks agree; 0: never
};

/// [train] of the job file.
struct TrainConfig {
  /// Exactly one of epochs and steps is given, but for federations, which have ends of their own.
  std::int64_t epochs = 0;
  std::int64_t steps = 0;        ///< optimizer steps
  std::int64_t batch_size = 64;  ///< samples of one rank in one micro-batch
  std::int64_t accumulate = 1;   ///< micro-batches in one optimizer step
  double clip_norm = 0.0;        ///< of the averaged gradient; 0: none
  /// Mixed precision: "none" | "bf16" | "fp16", which needs a GPU.
  std::string amp = "none";
  double loss_scale = 0.0;  ///< the first one; 0: 65536 with fp16, else none
  bool sync_batchnorm = false;
  std::string buffers = "broadcast";  ///< BatchNorm statistics: "broadcast" from rank 0 | "average"
  bool find_unused = false;           ///< allow parameters that a loss does not reach
  std::string on_nonfinite = "stop";  ///< "stop" | "skip" a step that is not finite
  std::int64_t evaluate_every = 1;    ///< epochs between evaluations; the end is always evaluated
  std::int64_t evaluate_batch = 256;  ///< samples of one rank at a time
  /// How a global batch is shared out: "equal" parts | in proportion to measured "speed".
  std::string balance = "equal";
  std::int64_t balance_every = 20;  ///< steps between two measurements
  /// For experiments: seconds that each rank sleeps for every sample, as if it were so much slower.
  /// Ranks beyond the list do not sleep.
  std::vector<double> emulate_sample_seconds;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
};

/// [communication] of the job file.
struct CommunicationConfig {
  std::string backend = "auto";  ///< "mpi" | "local" | "nccl" (GPUs) | "auto"
  /// backend mpi: what data travels on: "mpi" | "tcp" | "auto", which is tcp between several hosts
  /// without a fast fabric.
  std::string transport = "auto";
  std::string network;           ///< transport tcp: "10.1.0.0/16"; empty: any
  std::int64_t local_ranks = 1;  ///< backend local: ranks, as threads of one process
  /// Gradients sent at a time; 0: 4, or 1 with overlap = "next_forward".
  double bucket_mb = 0.0;
  /// Send while backward goes on: "true" | "false" | "next_forward": and on into the next forward.
  std::string overlap = "true";
  /// One message of a collective; 0, in the job file "auto": what is fastest when a run begins.
  std::int64_t chunk_kb = 256;
  /// Between several hosts: the ranks of each add up first, and one of them speaks for all.
  bool hierarchical = false;
  double timeout_s = 300.0;  ///< a peer that is later than this has failed
};

/// A whole job, checked and complete.
struct Job {
  RunConfig run;
  DataConfig data;
  ModelConfig model;
  TrainConfig train;
  compress::CompressionConfig compression;
  CommunicationConfig communication;
  FederationConfig federation;
  SitesConfig sites;
  PrivacyConfig privacy;
  CheckpointConfig checkpoint;
  MetricsConfig metrics;
};

}  // namespace convoy::trainer
