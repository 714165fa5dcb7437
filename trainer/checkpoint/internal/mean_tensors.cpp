// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/mean_tensors.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/internal/exchange.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/torch_error.h"

namespace convoy::trainer::internal {
namespace {

std::vector<NamedTensor> read_rank(const std::filesystem::path& path, const Manifest& manifest,
                                   int rank) {
  const auto name = file_name(fmt::format("rank-{}", rank), manifest.revision);
  const auto* entry = manifest.find(name);
  require_config(entry != nullptr, std::string(kManifestName) + " lacks " + name);
  return decode_state_dict(read_checked(path, *entry), name);
}

/// Adds up the tensors that stand for a mean.
class Mean {
 public:
  void add(const std::vector<NamedTensor>& tensors) {
    for (const auto& [name, tensor] : tensors) {
      if (!name.starts_with(kMeanPrefix)) continue;
      auto& sum = sums_[name];
      const auto wide = tensor.to(torch::kFloat64);
      sum = sum.defined() ? sum + wide : wide;
    }
  }
  void append_to(std::vector<NamedTensor>& tensors, int ranks) const {
    for (const auto& [name, sum] : sums_) {
      tensors.push_back({name, (sum / ranks).to(torch::kFloat32)});
    }
  }

 private:
  std::map<std::string, torch::Tensor> sums_;
};

/// Rank 0's part: what is the same everywhere, and the means where all old files are there.
std::vector<NamedTensor> collect(const std::filesystem::path& path, const Manifest& manifest) {
  std::vector<NamedTensor> tensors;
  try {
    Mean mean;
    for (int rank = 0; rank < manifest.ranks; ++rank) {
      const auto own = read_rank(path, manifest, rank);
      mean.add(own);
      if (rank > 0) continue;
      std::ranges::copy_if(own, std::back_inserter(tensors), [](const NamedTensor& named) {
        return !named.name.starts_with(kMeanPrefix);
      });
    }
    mean.append_to(tensors, manifest.ranks);
  } catch (const std::exception& error) {
    logger("trainer")->warn("residuals in {} are lost to another number of ranks: {}",
                            path.string(), one_line(error));
  }
  return tensors;
}

}  // namespace

std::vector<NamedTensor> mean_rank_tensors(comm::Communicator& communicator,
                                           const std::filesystem::path& path,
                                           const Manifest& manifest) {
  std::vector<std::byte> bytes;
  if (communicator.rank() == 0) bytes = encode_state_dict(collect(path, manifest));
  broadcast_bytes(communicator, bytes);
  return decode_state_dict(bytes, path.string());
}

}  // namespace convoy::trainer::internal
