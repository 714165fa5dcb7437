// SPDX-License-Identifier: Apache-2.0
#include "launch/process/startup_check.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include "base/hash.h"
#include "base/log.h"
#include "comm/values.h"
#include "launch/process/hardware.h"

namespace convoy::launch {
namespace {

/// "rank 2 runs <what>" or "ranks 1, 3 run <what>".
void add_difference(std::span<const Fingerprint> ranks, std::int64_t Fingerprint::*field,
                    const std::string& verb, const char* what, std::vector<std::string>& lines) {
  std::vector<std::size_t> others;
  for (std::size_t r = 1; r < ranks.size(); ++r) {
    if (ranks[r].*field != ranks[0].*field) others.push_back(r);
  }
  if (others.empty()) return;
  const bool one = others.size() == 1;
  lines.push_back(fmt::format("rank{} {} {}{} {}", one ? "" : "s", fmt::join(others, ", "), verb,
                              one ? "s" : "", what));
}

Fingerprint own_fingerprint() {
  const std::string build = build_text();
  return {static_cast<std::int64_t>(hash64(std::as_bytes(std::span(build)))),
          static_cast<std::int64_t>(gemm_hash())};
}

}  // namespace

std::string convoy_version() { return CONVOY_VERSION; }

std::string compiler_version() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

std::string build_text() {
  return fmt::format("convoy {}, {}, LibTorch {}", convoy_version(), compiler_version(),
                     torch_version());
}

std::vector<std::string> differences(std::span<const Fingerprint> ranks) {
  std::vector<std::string> lines;
  add_difference(ranks, &Fingerprint::build, "run",
                 "another convoy, compiler or LibTorch than rank 0", lines);
  add_difference(ranks, &Fingerprint::gemm, "compute",
                 "a matrix product with other bits than rank 0 (another processor or BLAS)", lines);
  return lines;
}

void compare_ranks(comm::Communicator& communicator) {
  const Fingerprint own = own_fingerprint();
  const auto all = comm::all_gather_values(communicator, std::vector{own.build, own.gemm});
  std::vector<Fingerprint> ranks;
  for (std::size_t i = 0; i < all.size(); i += 2) ranks.push_back({all[i], all[i + 1]});
  if (communicator.rank() != 0) return;
  for (const auto& line : differences(ranks)) logger("launch")->warn("{}", line);
}

}  // namespace convoy::launch
