// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_select.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/top_k_cut.h"
#include "compress/codec/internal/top_k_kernels.h"

namespace convoy::compress::internal {
namespace {

// Digits are counted in several tables in turn: equal ones in a row do not wait for each other.
constexpr std::size_t kTables = 4;
// Words of marks that are made at a time.
constexpr std::int64_t kWords = 64;
// A sample is one of so many values, within these limits.
constexpr std::int64_t kOneOf = 16;
constexpr std::int64_t kSmallestSample = 256;
constexpr std::int64_t kLargestSample = 1 << 15;

template <typename T>
std::int64_t count_of(std::span<const T> values) {
  return static_cast<std::int64_t>(values.size());
}

/// How often each value of a digit (`width` bits from `shift` on) occurs among the keys whose
/// higher bits are `prefix`.
template <typename T>
std::vector<std::int64_t> count_digits(std::span<const T> values, std::uint32_t prefix, int shift,
                                       int width) {
  const std::size_t digits = std::size_t{1} << width;
  std::vector<std::int64_t> counts(kTables * digits);
  const auto add = [&](T value, std::size_t table) {
    const std::uint32_t key = key_of(value) >> shift;
    counts[table * digits + (key & (digits - 1))] += key >> width == prefix ? 1 : 0;
  };
  const std::size_t whole = values.size() / kTables * kTables;
  for (std::size_t i = 0; i < whole; i += kTables) {
    for (std::size_t table = 0; table < kTables; ++table) add(values[i + table], table);
  }
  for (std::size_t i = whole; i < values.size(); ++i) add(values[i], 0);
  for (std::size_t i = digits; i < counts.size(); ++i) counts[i % digits] += counts[i];
  counts.resize(digits);
  return counts;
}

/// The cut that leaves exactly `k` (at least 1) of the values: a radix search from the top digit.
template <typename T>
Cut find_cut(std::span<const T> values, std::int64_t k) {
  Cut cut{0, k};
  int shift = kKeyBits;
  for (const int width : kDigitWidths) {
    shift -= width;
    const auto counts = count_digits(values, cut.key, shift, width);
    const auto top = static_cast<std::uint32_t>(counts.size() - 1);
    cut.key = cut.key << width | digit_of_cut(counts.data(), top, cut.equal);
  }
  return cut;
}

/// Calls visit(index, key) for every key that is at least `threshold`, in order, until it returns
/// false.
template <typename T, typename Visit>
void for_each_at_least(std::span<const T> values, std::uint32_t threshold, Visit visit) {
  std::array<std::uint64_t, kWords> marks;
  std::int64_t first = 0;
  for (; first + 64 <= count_of(values); first += 64 * kWords) {
    const std::int64_t words = std::min(kWords, (count_of(values) - first) / 64);
    mark_at_least(values.data() + first, words, threshold, marks.data());
    for (std::int64_t word = 0; word < words; ++word) {
      for (std::uint64_t left = marks[static_cast<std::size_t>(word)]; left != 0;
           left &= left - 1) {
        const std::int64_t index = first + 64 * word + std::countr_zero(left);
        if (!visit(index, key_of(values[static_cast<std::size_t>(index)]))) return;
      }
    }
  }
  for (std::int64_t i = count_of(values) / 64 * 64; i < count_of(values); ++i) {
    const std::uint32_t key = key_of(values[static_cast<std::size_t>(i)]);
    if (key >= threshold && !visit(i, key)) return;
  }
}

/// What is worth a closer look: indices, ascending, with their keys.
struct Candidates {
  std::vector<std::int64_t> indices;
  std::vector<std::uint32_t> keys;
};

struct Guess {
  std::uint32_t threshold = 0;  ///< at least 1: zeros are never candidates
  std::int64_t expected = 0;    ///< so many are likely to reach it
};

/// A threshold that more than `k` values are likely to reach, but not many more.
template <typename T>
std::optional<Guess> guess_threshold(std::span<const T> values, std::int64_t k) {
  const std::int64_t size = std::min(kLargestSample, count_of(values) / kOneOf);
  if (size < kSmallestSample) return {};
  const std::int64_t stride = count_of(values) / size;
  const double expected = static_cast<double>(k) / static_cast<double>(stride);
  const double wanted = expected + 4.0 * std::sqrt(expected) + 8.0;  // four standard deviations
  if (wanted > static_cast<double>(size) / 4.0) return {};
  std::vector<std::uint32_t> sample;
  for (std::int64_t i = 0; i < size; ++i) {
    sample.push_back(key_of(values[static_cast<std::size_t>(i * stride)]));
  }
  const auto rank = static_cast<std::int64_t>(wanted);
  const Cut cut = find_cut(std::span<const std::uint32_t>(sample), rank);
  return Guess{std::max(cut.key, kSmallestKey<T>), rank * stride};
}

/// All values that reach a guessed threshold; nothing where that is no help: more than twice as
/// many as expected do, or fewer than `k` although smaller ones are not zero.
template <typename T>
std::optional<Candidates> find_candidates(std::span<const T> values, std::int64_t k) {
  const auto guess = guess_threshold(values, k);
  if (!guess) return {};
  const auto most = static_cast<std::size_t>(2 * guess->expected);
  Candidates found;
  found.indices.reserve(most);
  found.keys.reserve(most);
  for_each_at_least(values, guess->threshold, [&](std::int64_t index, std::uint32_t key) {
    found.indices.push_back(index);
    found.keys.push_back(key);
    return found.keys.size() < most;
  });
  const bool all_but_zeros = guess->threshold == kSmallestKey<T>;
  const bool enough = static_cast<std::int64_t>(found.keys.size()) >= k;
  if (found.keys.size() == most || !(enough || all_but_zeros)) return {};
  return found;
}

/// `indices`, ascending, and the lowest others, `k` in all.
std::vector<std::int64_t> fill_up(const std::vector<std::int64_t>& indices, std::int64_t k) {
  std::vector<std::int64_t> filled;
  filled.reserve(static_cast<std::size_t>(k));
  std::int64_t missing = k - static_cast<std::int64_t>(indices.size());
  std::int64_t next = 0;
  for (const std::int64_t index : indices) {
    for (; next < index && missing > 0; --missing) filled.push_back(next++);
    filled.push_back(index);
    next = index + 1;
  }
  for (; missing > 0; --missing) filled.push_back(next++);
  return filled;
}

/// True for the keys that a cut leaves, asked in the order of their indices.
class Filter {
 public:
  explicit Filter(Cut cut) : cut_(cut) {}
  [[nodiscard]] bool keeps(std::uint32_t key) {
    return key > cut_.key || (key == cut_.key && cut_.equal-- > 0);
  }

 private:
  Cut cut_;
};

template <typename T>
std::vector<std::int64_t> select(std::span<const T> values, std::int64_t k) {
  std::vector<std::int64_t> chosen;
  if (k <= 0) return chosen;
  chosen.reserve(static_cast<std::size_t>(k));
  if (const auto found = find_candidates(values, k)) {
    if (static_cast<std::int64_t>(found->keys.size()) <= k) return fill_up(found->indices, k);
    Filter filter(find_cut(std::span<const std::uint32_t>(found->keys), k));
    for (std::size_t i = 0; i < found->keys.size(); ++i) {
      if (filter.keeps(found->keys[i])) chosen.push_back(found->indices[i]);
    }
    return chosen;
  }
  const Cut cut = find_cut(values, k);
  Filter filter(cut);
  for_each_at_least(values, cut.key, [&](std::int64_t index, std::uint32_t key) {
    if (filter.keeps(key)) chosen.push_back(index);
    return static_cast<std::int64_t>(chosen.size()) < k;
  });
  return chosen;
}

}  // namespace

std::vector<std::int64_t> select_largest(std::span<const float> values, std::int64_t k) {
  return select(values, k);
}

std::vector<std::int64_t> select_largest(std::span<const Half> values, std::int64_t k) {
  return select(values, k);
}

std::vector<std::int64_t> select_largest(std::span<const BFloat16> values, std::int64_t k) {
  return select(values, k);
}

}  // namespace convoy::compress::internal
