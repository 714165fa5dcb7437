// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/server_evaluation.h"

#include <chrono>
#include <numeric>
#include <utility>

#include "base/errors.h"
#include "trainer/evaluation.h"

namespace convoy::trainer {

ServerEvaluation::ServerEvaluation(std::unique_ptr<Model> model, const Dataset& dataset,
                                   std::int64_t batch_size)
    : model_(std::move(model)),
      dataset_(dataset),
      batch_size_(batch_size),
      samples_(static_cast<std::size_t>(dataset.size())) {
  std::iota(samples_.begin(), samples_.end(), std::int64_t{0});
}

void ServerEvaluation::start(SharedState state, EvaluatedModel about) {
  require(!running(), "ServerEvaluation: one model at a time");
  future_ = std::async(std::launch::async, [this, state = std::move(state), about]() mutable {
    put_state(*state, *model_);
    about.found = evaluate_samples(*model_, dataset_, samples_, batch_size_);
    return about;
  });
}

std::optional<EvaluatedModel> ServerEvaluation::take(bool wait) {
  if (!running()) return std::nullopt;
  const bool done = future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (!done && !wait) return std::nullopt;
  return future_.get();
}

}  // namespace convoy::trainer
