// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_rounds.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <utility>

#include "base/file.h"
#include "compress/codec/codec.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/federation_data.h"
#include "trainer/parallel/replicas.h"
#include "trainer/sites/site_privacy.h"
#include "trainer/stopwatch.h"

namespace convoy::trainer {
namespace {

constexpr const char* kLeaves = "leaves";

void add_metric(const std::string& name, double value, net::UploadBegin& begin) {
  if (std::isfinite(value)) begin.metrics.push_back({.name = name, .value = value});
}

}  // namespace

SiteRounds::SiteRounds(SiteJob job, const SiteBelongings& own, Place place, UpdateBox& box,
                       const MakeSiteWorker& make_worker)
    : job_(std::move(job)),
      policy_(own.policy),
      place_(std::move(place)),
      keeper_(job_.shape, job_.codec.get()) {
  ClientData data = job_.client_data(place_.client);
  SitePrivacy privacy = make_site_privacy(job_, data.key());
  is_spent_ = privacy.is_spent;
  box.open({.run = place_.run,
            .shape = &job_.shape,
            .codec = job_.codec.get(),
            .rounding_seed = rounding_seed(data.key())});
  worker_ = make_worker(job_, std::move(data), std::move(privacy.site));
}

void SiteRounds::take_model(const RoundCame& round) {
  const net::Dispatch& dispatch = round.dispatch;
  if (round.model) {
    return keeper_.take(round.model->bytes, dispatch.version, dispatch.model_hash);
  }
  if (keeper_.version() == dispatch.version && keeper_.hash() == dispatch.model_hash) return;
  throw compress::PayloadError(
      fmt::format("version {} of the model did not come, and is not held", dispatch.version));
}

std::optional<SiteRounds::Trained> SiteRounds::train(const net::Dispatch& round,
                                                     const KeepGoing& keep_going) {
  Stopwatch watch;
  LocalResult result = worker_->train({.round = round.round,
                                       .steps = steps_allowed(policy_, round.steps),
                                       .position = round.position,
                                       .updates = round.updates},
                                      keeper_.state(), keep_going);
  if (result.privacy) {
    is_spent_ = result.privacy->leaves;
    epsilon_ = result.privacy->epsilon;
  }
  if (result.steps == 0) return std::nullopt;
  net::UploadBegin begin = describe(round, result, watch.lap());
  return Trained{.result = std::move(result), .begin = std::move(begin)};
}

net::UploadBegin SiteRounds::describe(const net::Dispatch& round, const LocalResult& result,
                                      double seconds) const {
  net::UploadBegin begin{.round = round.round,
                         .version = round.version,
                         .steps = result.steps,
                         .samples = worker_->samples(),
                         .position = worker_->position(),
                         .training_seconds = seconds,
                         .finite = result.finite};
  add_metric("loss", result.loss, begin);
  add_metric("trained", static_cast<double>(result.samples), begin);
  if (result.validation) {
    add_metric("validation_loss", result.validation->loss, begin);
    add_metric("validation_accuracy", result.validation->accuracy, begin);
    add_metric("validation_samples", static_cast<double>(result.validation->samples), begin);
  }
  if (result.privacy) {
    begin.epsilon = result.privacy->epsilon;
    add_metric("privacy_steps", static_cast<double>(result.privacy->steps), begin);
    if (result.privacy->leaves) add_metric(kLeaves, 1.0, begin);
  }
  return begin;
}

std::uint64_t SiteRounds::save_final(const ReceivedStream& stream,
                                     const std::filesystem::path& path) const {
  TensorPack pack = from_stream(stream.bytes, job_.shape);
  const ModelState state{.parameters = std::move(pack.parameters),
                         .buffers = std::move(pack.buffers)};
  if (hash_of(state) != stream.begin.model_hash) {
    throw compress::PayloadError("the final model has other bits than the server's");
  }
  const auto model = make_model(job_.job.model, job_.datasets.train->info(), job_.job.run.seed);
  put_state(state, *model);
  const std::string part = path.string() + ".part";
  model->save(part);
  // The server is told that it is here, and may then forget it.
  sync_file(part);
  std::filesystem::rename(part, path);
  sync_folder(path.has_parent_path() ? path.parent_path() : ".");
  return parameters_hash(model->parameters());
}

}  // namespace convoy::trainer
