// SPDX-License-Identifier: Apache-2.0
#include "trainer/chunk_setup.h"

#include <spdlog/fmt/fmt.h>

#include <string>
#include <vector>

#include "base/log.h"
#include "comm/chunk_choice.h"
#include "comm/values.h"

namespace convoy::trainer {
namespace {

// "64 KiB 35.1 ms, 128 KiB 34.9 ms"
std::string to_text(const std::vector<comm::ChunkTrial>& trials) {
  std::string text;
  for (const auto& trial : trials) {
    text += fmt::format("{}{} KiB {:.1f} ms", text.empty() ? "" : ", ", trial.chunk_bytes >> 10,
                        1e3 * trial.seconds);
  }
  return text;
}

}  // namespace

std::int64_t choose_chunks(comm::Communicator& communicator, std::size_t sum_bytes,
                           std::int64_t saved_kb) {
  std::vector<std::int64_t> kib{saved_kb};
  kib = comm::broadcast_values(communicator, std::move(kib), 0);
  if (kib.front() == 0) {
    if (!communicator.sums_in_messages()) return 0;
    // On connections of its own: what it sends is no part of the training.
    const auto trials = comm::time_chunks(*communicator.duplicate(), sum_bytes);
    // All ranks have the same times; still only one of them chooses.
    kib.front() = static_cast<std::int64_t>(comm::fastest_chunk(trials) >> 10);
    kib = comm::broadcast_values(communicator, std::move(kib), 0);
    if (communicator.rank() == 0) {
      logger("trainer")->info("chunk_kb = {}: {}", kib.front(), to_text(trials));
    }
  }
  communicator.set_chunk_bytes(static_cast<std::size_t>(kib.front()) << 10);
  return kib.front();
}

}  // namespace convoy::trainer
