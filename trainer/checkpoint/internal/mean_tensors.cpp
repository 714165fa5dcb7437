// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/mean_tensors.h"

#include <spdlog/fmt/fmt.h>

#include <map>
#include <string>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/internal/exchange.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer::internal {
namespace {

std::vector<NamedTensor> read_rank(const std::filesystem::path& path, const Manifest& manifest,
                                   int rank) {
  const auto name = file_name(fmt::format("rank-{}", rank), manifest.revision);
  const auto* entry = manifest.find(name);
  require_config(entry != nullptr, std::string(kManifestName) + " lacks " + name);
  return decode_state_dict(read_checked(path, *entry), name);
}

std::vector<NamedTensor> read_mean(const std::filesystem::path& path, const Manifest& manifest) {
  std::map<std::string, torch::Tensor> sums;
  std::vector<NamedTensor> tensors;
  for (int rank = 0; rank < manifest.ranks; ++rank) {
    for (auto& [name, tensor] : read_rank(path, manifest, rank)) {
      if (!name.starts_with(kMeanPrefix)) {
        if (rank == 0) tensors.push_back({name, tensor});
        continue;
      }
      auto& sum = sums[name];
      const auto wide = tensor.to(torch::kFloat64);
      sum = sum.defined() ? sum + wide : wide;
    }
  }
  for (const auto& [name, sum] : sums) {
    tensors.push_back({name, (sum / manifest.ranks).to(torch::kFloat32)});
  }
  return tensors;
}

}  // namespace

std::vector<NamedTensor> mean_rank_tensors(comm::Communicator& communicator,
                                           const std::filesystem::path& path,
                                           const Manifest& manifest) {
  std::vector<std::byte> bytes;
  if (communicator.rank() == 0) {
    std::vector<NamedTensor> tensors;
    try {
      tensors = read_mean(path, manifest);
    } catch (const ConfigError& error) {
      logger("trainer")->warn(
          "what single ranks had saved in {} is lost to another number of ranks: {}", path.string(),
          error.what());
    }
    bytes = encode_state_dict(tensors);
  }
  broadcast_bytes(communicator, bytes);
  return decode_state_dict(bytes, path.string());
}

}  // namespace convoy::trainer::internal
