// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace convoy::trainer::internal {

/// A generator of our own with LibTorch's Mersenne twister, seeded by all 64 bits of `key`.
[[nodiscard]] at::Generator make_generator(std::uint64_t key);

/// Starts `generator` anew. The twister takes 32 bits, so `key` is mixed first.
void seed_generator(at::Generator& generator, std::uint64_t key);

/// Draws every parameter of `module` again, in the order of registration, from `seed` alone: the
/// constructors of LibTorch's layers draw from a generator that other threads use too. Always from
/// uniform distributions: LibTorch's normal numbers differ in their last bits between CPUs.
/// - convolution: He (arXiv:1502.01852), variance 2 / fan_in; its bias 0
/// - linear: weight and bias in +-1/sqrt(fan_in), as in PyTorch
/// - embeddings and parameters that a module registers itself: standard deviation 0.02
/// - BatchNorm and LayerNorm: weight 1, bias 0
void initialize(torch::nn::Module& module, std::uint64_t seed);

}  // namespace convoy::trainer::internal
