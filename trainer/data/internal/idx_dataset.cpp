// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/idx_dataset.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "trainer/data/internal/gzip_file.h"

namespace convoy::trainer::internal {
namespace {

constexpr const char* kDebianFolder = "/usr/share/datasets/fashion-mnist";
constexpr const char* kAdvice = "apt-get install dataset-fashion-mnist, or set data.path";
constexpr std::uint32_t kLabelMagic = 0x00000801;
constexpr std::uint32_t kImageMagic = 0x00000803;
constexpr std::int64_t kSide = 28;
constexpr std::int64_t kClasses = 10;

std::uint32_t big_endian(std::span<const std::uint8_t, 4> bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
         (std::uint32_t{bytes[2]} << 8U) | std::uint32_t{bytes[3]};
}

std::uint32_t read_number(GzipFile& file, const std::string& what) {
  const auto bytes = file.read_exactly(4, what);
  return big_endian(std::span(bytes).first<4>());
}

void check_magic(GzipFile& file, std::uint32_t expected) {
  const std::uint32_t found = read_number(file, "an IDX file begins with a magic number");
  if (found == expected) return;
  throw ConfigError(fmt::format("{}: not the IDX file expected: magic 0x{:08x}, found 0x{:08x}",
                                file.path(), expected, found));
}

/// The items of a file, and how many its header promises.
struct Items {
  std::int64_t promised = 0;
  std::vector<std::uint8_t> bytes;
};

/// Reads the items behind a header of `header_bytes`. A file that claims another size than its
/// header is read whole in spite of `limit`, so that the error can say what is there.
Items read_items(GzipFile& file, std::uint32_t promised, std::uint64_t item_bytes,
                 std::uint64_t header_bytes, std::int64_t limit, const std::string& what) {
  const std::uint64_t all_bytes = promised * item_bytes;
  const bool whole = limit == 0 || file.claimed_bytes() != header_bytes + all_bytes;
  Items items{
      .promised = promised,
      .bytes = file.read_exactly(
          whole ? all_bytes : std::min(all_bytes, static_cast<std::uint64_t>(limit) * item_bytes),
          fmt::format("header says {} {}", promised, what))};
  if (!whole) return items;
  if (!file.read_up_to(1).empty()) {
    throw ConfigError(fmt::format("{}: goes on after the {} {} ({} bytes) that its header says",
                                  file.path(), promised, what, all_bytes));
  }
  file.require_not_cut_off();
  if (limit > 0 && limit < promised) items.bytes.resize(limit * item_bytes);
  return items;
}

Items read_images(GzipFile& file, std::int64_t limit) {
  check_magic(file, kImageMagic);
  const std::uint32_t count = read_number(file, "header of 16 bytes");
  const std::uint32_t height = read_number(file, "header of 16 bytes");
  const std::uint32_t width = read_number(file, "header of 16 bytes");
  if (height != kSide || width != kSide) {
    throw ConfigError(fmt::format("{}: images of {}x{} expected, header says {}x{}", file.path(),
                                  kSide, kSide, height, width));
  }
  return read_items(file, count, kSide * kSide, 16, limit,
                    fmt::format("images of {}x{}", height, width));
}

Items read_labels(GzipFile& file, std::int64_t limit) {
  check_magic(file, kLabelMagic);
  const std::uint32_t count = read_number(file, "header of 8 bytes");
  Items labels = read_items(file, count, 1, 8, limit, "labels");
  for (std::size_t i = 0; i < labels.bytes.size(); ++i) {
    if (labels.bytes[i] < kClasses) continue;
    throw ConfigError(fmt::format("{}: label {} of image {} is not in 0..{}", file.path(),
                                  labels.bytes[i], i, kClasses - 1));
  }
  return labels;
}

}  // namespace

ImageSet read_idx_images(const DataConfig& config, Part part, std::int64_t limit) {
  const std::filesystem::path folder = config.path.empty() ? kDebianFolder : config.path;
  const std::string prefix = part == Part::kTrain ? "train" : "t10k";
  GzipFile image_file(find_data_file(folder, prefix + "-images-idx3-ubyte", kAdvice));
  GzipFile label_file(find_data_file(folder, prefix + "-labels-idx1-ubyte", kAdvice));
  Items labels = read_labels(label_file, limit);
  Items images = read_images(image_file, limit);
  if (labels.promised != images.promised) {
    throw ConfigError(fmt::format("{}: {} labels for the {} images of {}", label_file.path(),
                                  labels.promised, images.promised, image_file.path()));
  }
  require_config(images.promised > 0, image_file.path() + ": holds no image");
  return {.channels = 1,
          .height = kSide,
          .width = kSide,
          .classes = kClasses,
          .mean = {0.2860F},
          .deviation = {0.3530F},
          .pixels = std::move(images.bytes),
          .labels = std::move(labels.bytes)};
}

}  // namespace convoy::trainer::internal
