// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/model.h"

#include <filesystem>

#include "base/errors.h"
#include "trainer/models/cnn.h"
#include "trainer/models/internal/initial_weights.h"
#include "trainer/models/internal/model_checks.h"
#include "trainer/models/mlp.h"
#include "trainer/models/native_model.h"
#include "trainer/models/resnet18.h"
#include "trainer/models/resnet20.h"
#include "trainer/models/scripted_model.h"
#include "trainer/models/transformer.h"
#include "trainer/models/vit.h"

namespace convoy::trainer {
namespace {

std::shared_ptr<Network> make_network(const ModelConfig& config, const DataInfo& info) {
  if (config.name == "mlp") return make_mlp(config, info);
  if (config.name == "cnn") return make_cnn(config, info);
  if (config.name == "resnet20") return make_resnet20(info);
  if (config.name == "resnet18") return make_resnet18(info);
  if (config.name == "transformer") return make_transformer(config, info);
  require(config.name == "vit", "check_sizes() lets no other name pass");
  return make_vit(config, info);
}

}  // namespace

std::unique_ptr<Model> make_model(const ModelConfig& config, const DataInfo& info,
                                  std::uint64_t seed) {
  std::unique_ptr<Model> model;
  if (!config.torchscript.empty()) {
    model = std::make_unique<ScriptedModel>(config.torchscript);
  } else {
    internal::check_sizes(config);
    internal::check_fits_data(config, info);
    model = std::make_unique<NativeModel>(make_network(config, info), seed);
  }
  if (!config.init.empty()) internal::load_initial_weights(*model, config.init);
  internal::check_output(*model, info);
  return model;
}

void check_model(const ModelConfig& config) {
  if (config.torchscript.empty()) {
    internal::check_sizes(config);
  } else {
    const ScriptedModel loaded(config.torchscript);
  }
  require_config(config.init.empty() || std::filesystem::is_regular_file(config.init),
                 "model.init: there is no file " + config.init);
}

}  // namespace convoy::trainer
