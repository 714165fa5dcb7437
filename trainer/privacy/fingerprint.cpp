// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/fingerprint.h"

#include <algorithm>
#include <cstddef>

#include "base/hash.h"

namespace convoy::trainer::privacy {
namespace {

std::uint64_t add(const torch::Tensor& tensor, std::uint64_t hash) {
  const auto values = tensor.contiguous();
  return hash64({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()}, hash);
}

}  // namespace

std::string fingerprint(const Dataset& dataset, std::span<const std::int64_t> samples) {
  // One by one: how many are read at a time must not matter.
  std::uint64_t hash = samples.size();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Batch one = dataset.get(samples.subspan(i, 1), 0);
    hash = add(one.targets, add(one.inputs, hash));
  }
  return to_hex(hash);
}

}  // namespace convoy::trainer::privacy
