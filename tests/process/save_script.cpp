// SPDX-License-Identifier: Apache-2.0
// usage: save_script FILE. Writes a TorchScript model of 32 features and 10 classes, for tests in
// Python that have no PyTorch.
#include <torch/script.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  torch::jit::Module module("net");
  module.register_parameter("weight", (torch::ones({32, 10}) * 0.01).requires_grad_(), false);
  module.register_attribute("training", torch::jit::BoolType::get(), true);
  module.define("def forward(self, x):\n  return torch.matmul(x, self.weight)\n");
  module.save(argv[1]);
}
