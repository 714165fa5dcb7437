// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/one_batch.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

namespace convoy::launch {
namespace {

constexpr std::int64_t kContext = 128;
constexpr std::int64_t kBytes = 256;
constexpr std::int64_t kClasses = 10;

}  // namespace

OneBatch::OneBatch(const std::string& model, std::int64_t samples, std::int64_t size,
                   std::uint64_t seed)
    : size_(size) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto numbers = [&](std::int64_t end, const std::vector<std::int64_t>& shape) {
    return torch::randint(end, shape, generator, torch::kInt64);
  };
  if (model == "transformer") {
    info_ = {trainer::Task::kLanguage, {kContext}, kBytes};
    batch_ = {numbers(kBytes, {samples, kContext}), numbers(kBytes, {samples, kContext})};
    return;
  }
  info_ = {trainer::Task::kClassify, {3, 32, 32}, kClasses};
  batch_ = {torch::randn({samples, 3, 32, 32}, generator), numbers(kClasses, {samples})};
}

trainer::Batch OneBatch::get(std::span<const std::int64_t> indices, std::uint64_t) const {
  const std::int64_t count = std::min(std::ssize(indices), batch_.samples());
  if (count == batch_.samples()) return batch_;
  return {batch_.inputs.narrow(0, 0, count), batch_.targets.narrow(0, 0, count)};
}

}  // namespace convoy::launch
