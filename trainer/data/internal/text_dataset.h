// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/data/dataset.h"

namespace convoy::trainer::internal {

/// Neighbouring windows of a text for learning the next byte: sample i has the bytes
/// [i * context, (i + 1) * context) of its part, and as targets those one further on.
class TextDataset : public Dataset {
 public:
  /// `windows` windows from window `first` of `text`, which must reach one byte beyond them.
  TextDataset(std::shared_ptr<const std::vector<std::uint8_t>> text, std::int64_t context,
              std::int64_t first, std::int64_t windows);

  [[nodiscard]] std::int64_t size() const override { return windows_; }
  [[nodiscard]] const DataInfo& info() const override { return info_; }
  [[nodiscard]] Batch get(std::span<const std::int64_t> indices,
                          std::uint64_t augment_key) const override;

 private:
  std::shared_ptr<const std::vector<std::uint8_t>> text_;  // shared by the two parts
  std::int64_t context_;
  std::int64_t first_;
  std::int64_t windows_;
  DataInfo info_;
};

/// Windows of the file `config.path`, plain or gzip'd; the last share of them is the test part.
/// With a limit only as much is read as it needs.
/// @throws ConfigError that names the file.
[[nodiscard]] Datasets load_text(const DataConfig& config);

/// @throws ConfigError unless the file exists, begins well and has at least two windows.
void check_text(const DataConfig& config);

}  // namespace convoy::trainer::internal
