// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "comm/mpi/mpi.h"
#include "comm/tcp/tcp.h"
#include "launch/job/reader.h"

namespace convoy::launch {
namespace {

/// "job.toml:9: train.steps" where the key is written down, else only its name.
std::string place(const Document& document, const std::string& path) {
  const auto found = document.find(path);
  return found == document.end() ? path : found->second.where() + ": " + path;
}

int layer(const Document& document, const std::string& path) {
  const auto found = document.find(path);
  return found == document.end() ? -1 : found->second.layer;
}

void settle_length(trainer::TrainConfig& train, const Document& document) {
  if (train.epochs > 0 && train.steps > 0) {
    const int epochs_layer = layer(document, "train.epochs");
    const int steps_layer = layer(document, "train.steps");
    if (steps_layer > epochs_layer) train.epochs = 0;
    if (epochs_layer > steps_layer) train.steps = 0;
  }
  require_config(train.epochs == 0 || train.steps == 0,
                 place(document, "train.steps") + " and train.epochs: give only one of them");
  // A federation has ends of its own; `convoy train` refuses such a job later.
  if (train.epochs == 0 && train.steps == 0 && !document.contains("federation")) {
    const auto found = document.find("train");
    const std::string where = found == document.end() ? "" : found->second.where() + ": ";
    throw ConfigError(where + "[train] needs epochs or steps, at least 1");
  }
}

void check_run(const trainer::RunConfig& run, const Document& document) {
  const bool one_name = !run.name.empty() && run.name.find('/') == std::string::npos &&
                        run.name != "." && run.name != "..";
  require_config(one_name, fmt::format(R"({} must be a folder's name, not "{}")",
                                       place(document, "run.name"), run.name));
}

void check_backend(const std::string& backend, const Document& document) {
  const std::string where = place(document, "communication.backend");
  require_config(backend != "nccl" || !document.contains("federation"),
                 where + R"( = "nccl" cannot be had with [federation]: sites train on CPUs)");
  require_config(backend != "mpi" || comm::mpi::available(),
                 fmt::format(R"({} = "mpi": {})", where, comm::mpi::version()));
}

void check_device(const trainer::Job& job, const Document& document) {
  const std::string& device = job.run.device;
  if (device == "auto") return;
  const std::string what = fmt::format(R"({} = "{}" )", place(document, "run.device"), device);
  const std::string& backend = job.communication.backend;
  require_config(backend != "nccl" || device == "cuda",
                 what + R"(cannot be had with communication.backend = "nccl", which needs a GPU )"
                        R"(for every rank; "mpi" does not)");
  if (device == "cpu") return;
  require_config(!document.contains("federation"),
                 what + "cannot be had with [federation]: sites train on CPUs");
  require_config(backend != "local",
                 what + R"(needs processes: communication.backend = "mpi", "nccl" or "auto")");
  require_config(comm::mpi::available(), what + "needs MPI: " + comm::mpi::version());
  require_config(device != "mixed" || job.compression.objective != "time",
                 what + R"(cannot be had with compression.objective = "time": codecs take other )"
                        R"(times on GPUs than on CPUs)");
}

void check_network(const trainer::CommunicationConfig& config, const Document& document) {
  try {
    comm::tcp::check_network(config.network);
  } catch (const ConfigError& error) {
    throw ConfigError(place(document, "communication.network") + ": " + error.what());
  }
}

void check_optimizer(const trainer::TrainConfig& train, const Document& document) {
  const auto& optimizer = train.optimizer;
  require_config(
      !optimizer.nesterov || optimizer.momentum > 0.0,
      place(document, "train.optimizer.nesterov") + " needs train.optimizer.momentum above 0");
  require_config(train.schedule.name != "step" || train.schedule.step_every > 0,
                 place(document, "train.schedule.name") +
                     R"( = "step" needs train.schedule.step_every, at least 1)");
}

void check_compression(const compress::CompressionConfig& compression, const Document& document) {
  try {
    compress::check(compression);
  } catch (const ConfigError& error) {
    // It names the key; here is where that stands.
    const std::string message = error.what();
    const auto key = message.substr(0, message.find(' '));
    throw ConfigError(place(document, key) + message.substr(key.size()));
  }
}

/// Layers are updated one by one, before all gradients are known.
void check_overlap(const trainer::Job& job, const Document& document) {
  if (job.communication.overlap != "next_forward") return;
  const std::string what =
      place(document, "communication.overlap") + R"( = "next_forward" cannot be had with )";
  require_config(job.train.clip_norm == 0.0, what + place(document, "train.clip_norm") +
                                                 ": the norm is known when all gradients are");
  require_config(job.train.on_nonfinite != "skip",
                 what + place(document, "train.on_nonfinite") +
                     R"( = "skip": layers step before all gradients are known)");
  require_config(job.train.loss_scale == 0.0,
                 what + place(document, "train.loss_scale") +
                     ": steps are left out when all gradients are known");
  require_config(
      job.train.amp != "fp16",
      what + place(document, "train.amp") +
          R"( = "fp16", whose loss is scaled: steps are left out when all gradients are known)");
  require_config(!job.train.find_unused,
                 what + place(document, "train.find_unused") +
                     ": what no rank has used is known when all have ended their backward");
}

void check_privacy(const trainer::PrivacyConfig& privacy, const Document& document) {
  try {
    trainer::check_config(privacy);
  } catch (const ConfigError& error) {
    // It names the key; here is where that stands.
    const std::string message = error.what();
    const auto key = message.substr(0, message.find_first_of(" ,"));
    throw ConfigError(place(document, key) + message.substr(key.size()));
  }
  require_config(
      !privacy.is_on() || document.contains("federation"),
      place(document, "privacy.mode") + " needs [federation]: it is for convoy federate");
}

/// In real time, updates that are always late must not wait for company for ever.
void settle_late_flush(trainer::FederationConfig& federation, const Document& document) {
  if (federation.clock == "virtual" || document.contains("federation.late_flush_after")) return;
  if (document.contains("federation.late_flush_auto")) return;
  federation.policy.late_flush_auto = true;
}

}  // namespace

void check_rules(trainer::Job& job, const Document& document) {
  check_compression(job.compression, document);
  check_privacy(job.privacy, document);
  check_run(job.run, document);
  settle_length(job.train, document);
  settle_late_flush(job.federation, document);
  check_optimizer(job.train, document);
  check_overlap(job, document);
  check_backend(job.communication.backend, document);
  check_device(job, document);
  check_network(job.communication, document);
}

}  // namespace convoy::launch
