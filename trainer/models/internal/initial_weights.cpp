// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/initial_weights.h"

#include <sstream>
#include <unordered_map>
#include <vector>

#include "base/errors.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer::internal {
namespace {

/// Collects complaints and says the first few.
class Complaints {
 public:
  void add(const std::string& complaint) {
    if (count_++ < kShown) text_ += (text_.empty() ? "" : "; ") + complaint;
  }
  void throw_if_any(const std::string& path) const {
    if (count_ == 0) return;
    const auto more = count_ > kShown ? "; and " + std::to_string(count_ - kShown) + " more" : "";
    throw ConfigError("model.init: " + path + " does not fit the model: " + text_ + more);
  }

 private:
  static constexpr int kShown = 3;
  int count_ = 0;
  std::string text_;
};

std::string shape_of(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

}  // namespace

void load_initial_weights(const Model& model, const std::string& path) {
  std::unordered_map<std::string, torch::Tensor> loaded;
  for (auto& item : load_state_dict(path)) loaded.emplace(item.name, item.tensor);
  auto wanted = model.parameters();
  for (auto& buffer : model.buffers()) wanted.push_back(std::move(buffer));

  Complaints complaints;
  std::vector<torch::Tensor> sources;
  for (const auto& [name, tensor] : wanted) {
    const auto found = loaded.extract(name);
    if (found.empty()) {
      complaints.add(name + " is missing");
    } else if (found.mapped().sizes() != tensor.sizes()) {
      complaints.add(name + " is " + shape_of(found.mapped()) + " instead of " + shape_of(tensor));
    } else {
      sources.push_back(found.mapped());
    }
  }
  for (const auto& [name, tensor] : loaded) complaints.add(name + " is unknown to the model");
  complaints.throw_if_any(path);

  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i].tensor.detach().copy_(sources[i]);
}

}  // namespace convoy::trainer::internal
