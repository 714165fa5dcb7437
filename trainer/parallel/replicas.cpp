// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/replicas.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/errors.h"
#include "base/hash.h"

namespace convoy::trainer {
namespace {

template <typename T>
std::uint64_t fold(std::span<const T> values, std::uint64_t seed) {
  return hash64(std::as_bytes(values), seed);
}

std::uint64_t tensor_hash(const NamedTensor& named, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const auto tensor = named.tensor.detach().cpu().contiguous();
  seed = fold(std::span<const char>(named.name), seed);
  seed = fold(std::span<const std::int64_t>(tensor.sizes().data(), tensor.sizes().size()), seed);
  const auto type = static_cast<std::int32_t>(tensor.scalar_type());
  seed = fold(std::span<const std::int32_t>(&type, 1), seed);
  return hash64({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()}, seed);
}

}  // namespace

std::uint64_t parameters_hash(const std::vector<NamedTensor>& tensors) {
  std::uint64_t hash = 0;
  for (const auto& named : tensors) hash = tensor_hash(named, hash);
  return hash;
}

void verify_replicas(comm::Communicator& communicator, const std::vector<NamedTensor>& tensors) {
  const auto count = tensors.size();
  const auto ranks = static_cast<std::size_t>(communicator.size());
  // The communicator moves signed words; only their bits count.
  auto own = std::make_shared<std::vector<std::int64_t>>();
  for (const auto& named : tensors) {
    own->push_back(static_cast<std::int64_t>(tensor_hash(named, 0)));
  }
  auto all = std::make_shared<std::vector<std::int64_t>>(ranks * count);
  communicator
      .all_gather(comm::ConstBuffer(std::span<const std::int64_t>(*own), own),
                  comm::Buffer(std::span(*all), all))
      .wait();
  const auto first = std::span(*all).first(count);
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    const auto theirs = std::span(*all).subspan(rank * count, count);
    const auto [expected, found] = std::ranges::mismatch(first, theirs);
    if (expected == first.end()) continue;
    const auto index = static_cast<std::size_t>(expected - first.begin());
    require(false, fmt::format("replicas differ: rank {}'s {} is not rank 0's", rank,
                               tensors[index].name));
  }
}

}  // namespace convoy::trainer
