// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/random_operations.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace convoy::trainer::internal {
namespace {

/// What the names of such operations have in common ("aten::feature_alpha_dropout", "rand_like");
/// LibTorch's own list, Node::isNondeterministic(), lacks those that work in place.
constexpr std::array<std::string_view, 10> kRandomNames = {
    "dropout", "bernoulli", "aten::rand",  "aten::normal", "aten::uniform",
    "rrelu",   "poisson",   "multinomial", "aten::gumbel", "aten::exponential"};

bool is_random(const torch::jit::Node& node) {
  const std::string_view name = node.kind().toQualString();
  return node.isNondeterministic() || std::ranges::any_of(kRandomNames, [&](std::string_view part) {
           return name.find(part) != name.npos;
         });
}

/// Follows branches, loops and calls. TorchScript has no recursion, so this ends.
bool has_random(torch::jit::Block& block) {
  for (auto* node : block.nodes()) {
    if (is_random(*node)) return true;
    for (auto* inner : node->blocks()) {
      if (has_random(*inner)) return true;
    }
    auto* const called = torch::jit::tryToGraphFunction(node);
    if (called != nullptr && has_random(*called->graph()->block())) return true;
  }
  return false;
}

}  // namespace

bool has_random_operations(const torch::jit::Method& method) {
  return has_random(*method.graph()->block());
}

}  // namespace convoy::trainer::internal
