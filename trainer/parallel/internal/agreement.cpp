// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/agreement.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <sstream>

#include "base/errors.h"
#include "base/hash.h"

namespace convoy::trainer::internal {
namespace {

std::vector<std::int64_t> gather(comm::Communicator& communicator, std::int64_t value) {
  auto own = std::make_shared<std::int64_t>(value);
  auto all = std::make_shared<std::vector<std::int64_t>>(communicator.size());
  communicator
      .all_gather(comm::ConstBuffer(std::span<const std::int64_t>(own.get(), 1), own),
                  comm::Buffer(std::span(*all), all))
      .wait();
  return *all;
}

std::vector<std::string> gather(comm::Communicator& communicator, const std::string& text) {
  using Bytes = std::vector<std::uint8_t>;
  const auto counts = gather(communicator, static_cast<std::int64_t>(text.size()));
  auto own = std::make_shared<Bytes>(text.begin(), text.end());
  auto all = std::make_shared<Bytes>(std::reduce(counts.begin(), counts.end()));
  communicator
      .all_gather_v(comm::ConstBuffer(std::span<const std::uint8_t>(*own), own),
                    comm::Buffer(std::span(*all), all), counts)
      .wait();
  std::vector<std::string> texts;
  auto begin = all->begin();
  for (const auto count : counts) {
    texts.emplace_back(begin, begin + count);
    begin += count;
  }
  return texts;
}

std::string next_line(std::istringstream& lines) {
  std::string line;
  return std::getline(lines, line) ? line : "nothing more";
}

/// Throws when the texts differ, with the first pair of lines that does.
void compare(const std::string& expected_text, const std::string& found_text, std::size_t rank) {
  std::istringstream expected_lines(expected_text);
  std::istringstream found_lines(found_text);
  while (expected_lines || found_lines) {
    const std::string expected = next_line(expected_lines);
    const std::string found = next_line(found_lines);
    require(expected == found,
            fmt::format("ranks do not train the same model: rank {} has {}, rank 0 has {}", rank,
                        found, expected));
  }
}

}  // namespace

std::vector<std::string> describe(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> lines;
  for (const auto& [name, tensor] : tensors) {
    lines.push_back(fmt::format("{} ({} [{}]{})", name, c10::toString(tensor.scalar_type()),
                                fmt::join(tensor.sizes(), ", "),
                                tensor.requires_grad() ? "" : ", not trained"));
  }
  return lines;
}

void require_agreement(comm::Communicator& communicator, const std::vector<std::string>& lines) {
  const std::string text = fmt::format("{}", fmt::join(lines, "\n"));
  const auto hash = hash64(std::as_bytes(std::span(text)));
  const auto hashes = gather(communicator, static_cast<std::int64_t>(hash));
  if (std::ranges::count(hashes, hashes.front()) == std::ssize(hashes)) return;
  const auto texts = gather(communicator, text);
  for (std::size_t rank = 1; rank < texts.size(); ++rank) compare(texts[0], texts[rank], rank);
}

}  // namespace convoy::trainer::internal
