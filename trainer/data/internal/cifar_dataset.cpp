// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/cifar_dataset.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "trainer/data/internal/gzip_file.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::int64_t kSide = 32;
constexpr std::size_t kPixelBytes = 3 * kSide * kSide;

/// What differs between the two.
struct Format {
  const char* title;
  const char* archive_folder;
  std::vector<std::string> train_files;
  std::vector<std::string> test_files;
  std::size_t train_records;  ///< in each of its files
  std::size_t test_records;
  std::vector<int> label_classes;  ///< of each label byte; the last one is learned
  std::array<float, 3> mean;
  std::array<float, 3> deviation;

  [[nodiscard]] std::size_t record_bytes() const { return label_classes.size() + kPixelBytes; }
};

Format format_of(const std::string& name) {
  if (name == "cifar10") {
    return {.title = "CIFAR-10",
            .archive_folder = "cifar-10-batches-bin",
            .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                            "data_batch_4.bin", "data_batch_5.bin"},
            .test_files = {"test_batch.bin"},
            .train_records = 10'000,
            .test_records = 10'000,
            .label_classes = {10},
            .mean = {0.4914F, 0.4822F, 0.4465F},
            .deviation = {0.2470F, 0.2435F, 0.2616F}};
  }
  return {.title = "CIFAR-100",
          .archive_folder = "cifar-100-binary",
          .train_files = {"train.bin"},
          .test_files = {"test.bin"},
          .train_records = 50'000,
          .test_records = 10'000,
          .label_classes = {20, 100},
          .mean = {0.5071F, 0.4865F, 0.4409F},
          .deviation = {0.2673F, 0.2564F, 0.2762F}};
}

void append_record(std::span<const std::uint8_t> record, const Format& format,
                   const std::string& path, std::size_t number, ImageSet& images) {
  const std::size_t labels = format.label_classes.size();
  for (std::size_t i = 0; i < labels; ++i) {
    if (record[i] < format.label_classes[i]) continue;
    throw ConfigError(fmt::format("{}: label {} of record {} is not in 0..{}", path, record[i],
                                  number, format.label_classes[i] - 1));
  }
  images.labels.push_back(record[labels - 1]);
  images.pixels.insert(images.pixels.end(), record.begin() + static_cast<std::ptrdiff_t>(labels),
                       record.end());
}

/// Adds the first `wanted` of the file's `records`. A file whose claimed size is another is read
/// whole, so that the error can say what is there.
void append_file(const std::filesystem::path& path, const Format& format, std::size_t records,
                 std::size_t wanted, ImageSet& images) {
  GzipFile file(path);
  const std::size_t size = format.record_bytes();
  const bool whole = file.claimed_bytes() != records * size;
  const auto content =
      file.read_up_to(whole ? std::numeric_limits<std::size_t>::max() : wanted * size);
  file.require_not_cut_off();
  if (content.empty() || content.size() % size != 0) {
    throw ConfigError(fmt::format("{}: truncated or not {}: {} bytes are not records of {} bytes",
                                  file.path(), format.title, content.size(), size));
  }
  const std::size_t found = content.size() / size;
  const std::size_t expected = whole ? records : wanted;
  if (found != expected) {
    throw ConfigError(fmt::format("{}: truncated or not {}: {} records, {} are expected",
                                  file.path(), format.title, found, expected));
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    append_record(std::span(content).subspan(i * size, size), format, file.path(), i, images);
  }
}

}  // namespace

ImageSet read_cifar_images(const DataConfig& config, Part part, std::int64_t limit) {
  const Format format = format_of(config.name);
  std::filesystem::path folder = config.path;
  std::error_code ignored;
  if (std::filesystem::is_directory(folder / format.archive_folder, ignored)) {
    folder /= format.archive_folder;
  }
  ImageSet images{.channels = 3,
                  .height = kSide,
                  .width = kSide,
                  .classes = format.label_classes.back(),
                  .mean = format.mean,
                  .deviation = format.deviation};
  std::size_t wanted =
      limit > 0 ? static_cast<std::size_t>(limit) : std::numeric_limits<std::size_t>::max();
  const bool train = part == Part::kTrain;
  const std::size_t records = train ? format.train_records : format.test_records;
  for (const auto& name : train ? format.train_files : format.test_files) {
    // Looked for even when the limit is reached: half a data set is an error.
    const auto path = find_data_file(
        folder, name, fmt::format("set data.path to the binary version of {}", format.title));
    const std::int64_t before = images.size();
    if (wanted > 0) append_file(path, format, records, std::min(wanted, records), images);
    wanted -= static_cast<std::size_t>(images.size() - before);
  }
  return images;
}

}  // namespace convoy::trainer::internal
