// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/silo_rounds.h"

#include <chrono>
#include <cmath>
#include <span>
#include <thread>

#include "base/random.h"
#include "trainer/precision.h"
#include "trainer/random_streams.h"
#include "trainer/together.h"

namespace convoy::trainer {
namespace {

/// Rank 0's is that of a client of one process; the others' are streams of their own.
std::uint64_t dropout_key(const ClientData& client, std::int64_t batch, int rank) {
  const auto number = static_cast<std::uint64_t>(batch);
  if (rank == 0) return mix({client.key(), kDropoutStream, number});
  return mix({client.key(), kDropoutStream, number, static_cast<std::uint64_t>(rank)});
}

}  // namespace

SiloRounds::SiloRounds(comm::Communicator& site, DataParallel& parallel, const Job& job,
                       const ClientData& client)
    : site_(site), parallel_(parallel), job_(job) {
  if (job.train.balance == "speed") balance_.emplace(site, client.global_batch());
}

StepDone SiloRounds::gradient(Model& model, const Dataset& dataset, ClientData& client) {
  balance_parts(client);
  const auto batch = client.next();
  const auto own = std::ssize(batch.samples);
  parallel_.begin_step(own, batch.global_samples, batch.first_rank);
  (void)watch_.lap();
  const torch::Tensor loss = own_loss(model, dataset, client, batch);
  const auto votes = std::make_shared<Votes>();
  if (loss.defined()) {
    const auto value = loss.item<double>();
    const auto weight = static_cast<double>(own) / static_cast<double>(batch.global_samples);
    *votes = {value * weight, std::isfinite(value) ? 0.0 : 1.0, 0.0};
  }
  if (failure_) (*votes)[2] = 1.0;
  auto told = site_.all_reduce(comm::Buffer(std::span(*votes), votes));
  const double seconds = watch_.lap();
  if (loss.defined()) {
    parallel_.backward(loss);
  } else {
    parallel_.backward_empty();
  }
  if (balance_)
    balance_->add(own, seconds + 1e-9 * static_cast<double>(parallel_.times().backward));
  told.wait();
  if ((*votes)[2] > 0.0) {
    failed_together_ = true;
    together(site_, [this] {
      if (failure_) std::rethrow_exception(failure_);
    });
  }
  parallel_.end_step();
  ++steps_;
  return {.loss = (*votes)[0],
          .samples = batch.global_samples,
          .finite = (*votes)[1] == 0.0 && !parallel_.nonfinite()};
}

void SiloRounds::balance_parts(ClientData& client) {
  if (!balance_) return;
  if (steps_ > 0 && steps_ % job_.train.balance_every == 0) (void)balance_->rebalance();
  client.set_parts(balance_->parts());
}

torch::Tensor SiloRounds::own_loss(Model& model, const Dataset& dataset, const ClientData& client,
                                   const ClientData::NextBatch& batch) {
  if (batch.samples.empty()) return {};
  try {
    return forward(model, dataset, client, batch);
  } catch (const std::exception&) {
    failure_ = std::current_exception();  // after this rank has served the others
    return {};
  }
}

torch::Tensor SiloRounds::forward(Model& model, const Dataset& dataset, const ClientData& client,
                                  const ClientData::NextBatch& batch) const {
  emulate_slowness(std::ssize(batch.samples));
  const std::uint64_t augment_key =
      job_.data.augment
          ? mix({client.key(), kAugmentStream, static_cast<std::uint64_t>(batch.epoch)})
          : 0;
  const Batch own = dataset.get(batch.samples, augment_key).to(model.device());
  model.seed_dropout(dropout_key(client, batch.number, site_.rank()));
  return forward_loss(job_.train.amp, dataset.info().task, model, own);
}

void SiloRounds::emulate_slowness(std::int64_t samples) const {
  const auto& seconds = job_.train.emulate_sample_seconds;
  const auto rank = static_cast<std::size_t>(site_.rank());
  if (rank >= seconds.size()) return;
  std::this_thread::sleep_for(
      std::chrono::duration<double>(seconds[rank] * static_cast<double>(samples)));
}

}  // namespace convoy::trainer
