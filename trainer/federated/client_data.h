// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/sampler.h"

namespace convoy::trainer {

/// The class of every sample, for a partition; 0 for data without classes. Reads all targets.
[[nodiscard]] std::vector<std::int64_t> sample_classes(const Dataset& dataset);

/// The samples of one client and how far it has come in them. The order goes on where the last
/// round ended: one random order of all its samples after another, so that every sample is seen,
/// however short the rounds are. One thread at a time.
class ClientData {
 public:
  /// Of a client that is several processes: a global batch holds batch_size samples for each.
  struct Ranks {
    int rank = 0;
    int size = 1;
  };

  /// @param samples     numbers in the data set; at least one is kept for training.
  /// @param validation  share in [0, 1) that is held back for the client's own validation.
  /// @param key         names the client's random streams.
  /// @param ranks       whose part of batches and of validation() it deals out.
  ClientData(std::vector<std::int64_t> samples, double validation, std::int64_t batch_size,
             std::uint64_t key, Ranks ranks);
  ClientData(std::vector<std::int64_t> samples, double validation, std::int64_t batch_size,
             std::uint64_t key)
      : ClientData(std::move(samples), validation, batch_size, key, Ranks()) {}

  struct NextBatch {
    std::vector<std::int64_t> samples;  ///< of this rank
    std::int64_t global_samples = 0;    ///< of all ranks
    int first_rank = 0;                 ///< the first that has any
    std::int64_t epoch = 0;
    std::int64_t number = 0;  ///< among all batches of this client
  };
  [[nodiscard]] NextBatch next();
  /// As Sampler's.
  void set_parts(const std::vector<std::int64_t>& parts) { sampler_.set_parts(parts); }
  [[nodiscard]] std::int64_t global_batch() const { return sampler_.global_batch(); }

  [[nodiscard]] std::int64_t train_size() const { return static_cast<std::int64_t>(train_.size()); }
  [[nodiscard]] const std::vector<std::int64_t>& train_samples() const { return train_; }
  [[nodiscard]] const std::vector<std::int64_t>& validation() const { return validation_; }
  [[nodiscard]] std::uint64_t key() const { return key_; }
  /// Batches taken so far: all that a checkpoint must hold.
  [[nodiscard]] std::int64_t position() const { return position_; }
  void set_position(std::int64_t batches) { position_ = batches; }

 private:
  std::vector<std::int64_t> train_;
  std::vector<std::int64_t> validation_;
  std::uint64_t key_;
  Sampler sampler_;
  std::int64_t position_ = 0;
};

}  // namespace convoy::trainer
