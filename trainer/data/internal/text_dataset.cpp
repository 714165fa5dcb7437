// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/text_dataset.h"

#include <spdlog/fmt/fmt.h>

#include <limits>
#include <utility>

#include "base/errors.h"
#include "trainer/data/internal/check_indices.h"
#include "trainer/data/internal/gzip_file.h"
#include "trainer/data/internal/split.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::int64_t kByteValues = 256;

/// The first `windows` windows and the one byte more that the last target is; 0: everything.
std::vector<std::uint8_t> read_windows(const DataConfig& config, std::int64_t windows) {
  GzipFile file(config.path);
  auto text = file.read_up_to(windows > 0 ? static_cast<std::size_t>(windows * config.context + 1)
                                          : std::numeric_limits<std::size_t>::max());
  file.require_not_cut_off();
  const auto least = static_cast<std::size_t>(2 * config.context + 1);
  if (text.size() < least) {
    throw ConfigError(fmt::format("{}: {} bytes, but two samples of data.context = {} need {}",
                                  file.path(), text.size(), config.context, least));
  }
  return text;
}

}  // namespace

TextDataset::TextDataset(std::shared_ptr<const std::vector<std::uint8_t>> text,
                         std::int64_t context, std::int64_t first, std::int64_t windows)
    : text_(std::move(text)), context_(context), first_(first), windows_(windows) {
  require(context >= 1 && first >= 0 && windows >= 1, "TextDataset: sizes must be positive");
  require((first + windows) * context < static_cast<std::int64_t>(text_->size()),
          "TextDataset: windows reach beyond the text");
  info_.task = Task::kLanguage;
  info_.input_shape = {context};
  info_.classes = kByteValues;
}

Batch TextDataset::get(std::span<const std::int64_t> indices, std::uint64_t) const {
  check_indices(indices, windows_);
  const auto count = static_cast<std::int64_t>(indices.size());
  Batch batch{torch::empty({count, context_}, torch::kInt64),
              torch::empty({count, context_}, torch::kInt64)};
  auto* inputs = batch.inputs.data_ptr<std::int64_t>();
  auto* targets = batch.targets.data_ptr<std::int64_t>();
  for (const std::int64_t index : indices) {
    const std::uint8_t* bytes = text_->data() + (first_ + index) * context_;
    for (std::int64_t t = 0; t < context_; ++t) {
      inputs[t] = bytes[t];
      targets[t] = bytes[t + 1];
    }
    inputs += context_;
    targets += context_;
  }
  return batch;
}

Datasets load_text(const DataConfig& config) {
  const auto text =
      std::make_shared<const std::vector<std::uint8_t>>(read_windows(config, config.limit));
  const auto windows = (static_cast<std::int64_t>(text->size()) - 1) / config.context;
  const auto held_back = held_back_count(windows, held_back_share(config), config.path);
  const auto kept = windows - held_back;
  return {std::make_shared<const TextDataset>(text, config.context, 0, kept),
          std::make_shared<const TextDataset>(text, config.context, kept, held_back)};
}

void check_text(const DataConfig& config) { (void)read_windows(config, 2); }

}  // namespace convoy::trainer::internal
