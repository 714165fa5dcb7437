// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/scripted_model.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/errors.h"
#include "base/file.h"
#include "base/random.h"
#include "trainer/models/internal/random_operations.h"
#include "trainer/models/internal/script_error.h"
#include "trainer/models/internal/unique_tensors.h"
#include "trainer/models/plain_executor.h"

namespace convoy::trainer {
namespace {

torch::jit::Module load_module(const std::string& path) {
  require_config(std::filesystem::is_regular_file(path),
                 "model.torchscript: there is no file " + path);
  try {
    return torch::jit::load(path, torch::Device(torch::kCPU));
  } catch (const std::exception& error) {
    throw ConfigError("model.torchscript: cannot load " + path + ": " +
                      internal::script_error_line(error));
  }
}

}  // namespace

ScriptedModel::ScriptedModel(const std::string& path) : path_(path) {
  const PlainExecutor plain;  // before the load: an executor keeps the mode it was made in
  module_ = load_module(path);
  require_config(module_.find_method("forward").has_value(),
                 "model.torchscript: " + path + " has no method forward");
  require_config(std::ranges::any_of(parameters(),
                                     [](const auto& item) { return item.tensor.requires_grad(); }),
                 "model.torchscript: " + path + " has no parameters to train (is it frozen?)");
  random_ = internal::has_random_operations(module_.get_method("forward"));
}

torch::Tensor ScriptedModel::forward(const torch::Tensor& inputs) {
  const PlainExecutor plain;
  torch::jit::IValue output;
  try {
    output = module_.forward({inputs});
  } catch (const std::exception& error) {
    throw ConfigError("model.torchscript: " + path_ +
                      " cannot run on the data: " + internal::script_error_line(error));
  }
  require_config(output.isTensor(), "model.torchscript: " + path_ + " returns " + output.tagKind() +
                                        " where a Tensor is needed");
  return output.toTensor();
}

std::vector<NamedTensor> ScriptedModel::parameters() const {
  internal::UniqueTensors unique;
  for (const auto& item : module_.named_parameters()) unique.add(item.name, item.value);
  return unique.take();
}

std::vector<NamedTensor> ScriptedModel::buffers() const {
  internal::UniqueTensors unique;
  for (const auto& item : module_.named_buffers()) unique.add(item.name, item.value);
  return unique.take();
}

void ScriptedModel::seed_dropout(std::uint64_t key) { torch::manual_seed(mix({key})); }

void ScriptedModel::set_batch_statistics(BatchStatistics* statistics) {
  require_config(statistics == nullptr,
                 "train.sync_batchnorm: a TorchScript model (" + path_ +
                     ") cannot take its BatchNorm statistics over all ranks");
}

void ScriptedModel::save(const std::string& path) const {
  std::ostringstream archive;
  if (device().is_cpu()) {
    module_.save(archive);
  } else {  // so that it loads everywhere
    auto copy = module_.deepcopy();
    copy.to(torch::Device(torch::kCPU));
    copy.save(archive);
  }
  write_file_atomic(path, archive.str());
}

}  // namespace convoy::trainer
