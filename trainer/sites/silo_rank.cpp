// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/silo_rank.h"

#include <exception>
#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "comm/values.h"
#include "trainer/federated/federation_data.h"
#include "trainer/parallel_setup.h"
#include "trainer/together.h"

namespace convoy::trainer {
namespace {

/// The records of one rank, for Poisson samples of its own: all ranks' together are the site's.
std::vector<std::int64_t> part_of(const std::vector<std::int64_t>& samples,
                                  const comm::Communicator& site) {
  const auto end_of = [&](int rank) {
    return samples.begin() + std::ssize(samples) * rank / site.size();
  };
  return {end_of(site.rank()), end_of(site.rank() + 1)};
}

/// Hosts may hold other files under one name; then the ranks would take parts of other batches.
void require_same_samples(comm::Communicator& site, const SiloSetup& setup) {
  const std::uint64_t hash = mix({hash64(std::as_bytes(std::span(setup.samples))), setup.key,
                                  static_cast<std::uint64_t>(setup.dataset->size()),
                                  static_cast<std::uint64_t>(setup.job.train.batch_size)});
  const auto hashes = comm::all_gather_values(site, std::vector{static_cast<std::int64_t>(hash)});
  for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
    require_config(hashes[rank] == hashes[0],
                   "rank " + std::to_string(rank) +
                       " of the site has other samples than rank 0: do all its hosts hold the "
                       "same data?");
  }
}

}  // namespace

SiloRank::SiloRank(comm::Communicator& site, SiloSetup setup)
    : site_(site),
      job_(std::move(setup.job)),
      dataset_(std::move(setup.dataset)),
      placement_(setup.placement) {
  setup.job = job_;
  setup.dataset = dataset_;
  together(site_, [&] { make_local(setup); });
  require_same_samples(site_, setup);
  if (!is_per_sample()) start_parallel(setup.compression);
  together(site_, [&] { make_rule(setup); });
}

std::vector<std::int64_t> SiloRank::parts() const {
  if (plain_ == nullptr || plain_->balance() == nullptr) return {};
  return plain_->balance()->parts();
}

bool SiloRank::is_per_sample() const {
  return job_.privacy.is_on() && job_.privacy.is_per_sample();
}

void SiloRank::make_local(SiloSetup& setup) {
  const auto ranks = std::to_string(site_.size());
  require_config(std::ssize(setup.samples) >= site_.size(),
                 "the site has fewer samples (" + std::to_string(setup.samples.size()) +
                     ") than ranks (" + ranks + ")");
  require_config(setup.privacy.has_value() == job_.privacy.is_on(),
                 "the site's own privacy and the job's [privacy] do not go together");
  require_config(!job_.privacy.is_on() || placement_.device.is_cpu(),
                 "[privacy] trains on CPUs: leave run.device = \"cpu\"");
  require_config(
      site_.backend() != "local" || site_.size() == 1 ||
          !setup.model->draws_from_shared_generator(),
      "model.torchscript draws random numbers (dropout) from LibTorch's process-wide generator, "
      "which ranks of one process would share");
  if (is_per_sample()) {
    data_.emplace(part_of(setup.samples, site_), 0.0, job_.train.batch_size, setup.key);
    samples_ = std::ssize(setup.samples);
  } else {
    data_.emplace(setup.samples, setup.validation, job_.train.batch_size, setup.key,
                  ClientData::Ranks{site_.rank(), site_.size()});
    samples_ = data_->train_size();
  }
  setup.model->to(placement_.device);
  trainer_ = std::make_unique<LocalTrainer>(std::move(setup.model), *dataset_,
                                            local_training_config(job_));
}

void SiloRank::start_parallel(const compress::CompressionConfig& compression) {
  Job inside = job_;
  inside.compression = compression;
  compress::ReducerFactory factory;
  DataParallelOptions options = parallel_options(job_);
  together(site_, [&] { factory = reducer_of(inside, {}, nullptr, placement_.executors); });
  // Its updates would need an optimizer that lives longer than a round.
  if (options.overlap == Overlap::kNextForward) options.overlap = Overlap::kBackward;
  // One process leaves parameters alone that a scripted module does not use.
  options.find_unused = options.find_unused || !job_.model.torchscript.empty();
  options.placement = placement_;
  parallel_ = std::make_unique<DataParallel>(site_, model().parameters(), model().buffers(),
                                             options, factory);
  validates_ = comm::all_reduce_value(site_, std::ssize(data_->validation())) > 0;
}

void SiloRank::make_rule(SiloSetup& setup) {
  std::unique_ptr<SiloRounds> plain;
  if (parallel_) plain = std::make_unique<SiloRounds>(site_, *parallel_, job_, *data_);
  plain_ = plain.get();
  rule_ = std::move(plain);
  if (!setup.privacy) return;
  setup.privacy->ranks = site_.size() > 1 ? &site_ : nullptr;
  rule_ = make_private_rounds(std::move(*setup.privacy), model(), local_training_config(job_),
                              std::move(rule_));
}

LocalResult SiloRank::train(const SiteRound& round, const ModelState& start,
                            const KeepGoing& keep_going) {
  try {
    return run(round, start, keep_going);
  } catch (const std::exception& error) {
    if (plain_ == nullptr || !plain_->failed_together()) {
      site_.give_up("rank " + std::to_string(site_.rank()) +
                    " of the site has failed: " + error.what());
    }
    throw;
  }
}

LocalResult SiloRank::run(const SiteRound& round, const ModelState& start,
                          const KeepGoing& keep_going) {
  data_->set_position(round.position);
  bool left = false;
  const auto go_on = [&] {
    left = !agreed(keep_going);
    return !left;
  };
  LocalResult result = trainer_->run(*data_, start, round.steps, go_on, round.updates, rule_.get());
  if (validates_ && !left) share_validation(result);
  return result;
}

bool SiloRank::agreed(const KeepGoing& own) const {
  const bool is_first = site_.rank() == 0;
  const auto answer = std::make_shared<std::int32_t>(is_first && (!own || own()) ? 1 : 0);
  if (site_.size() > 1) {
    site_.broadcast(comm::Buffer(std::span(answer.get(), 1), answer), 0).wait();
  }
  return *answer != 0;
}

void SiloRank::share_validation(LocalResult& result) const {
  if (site_.size() == 1) return;
  const Evaluation own = result.validation.value_or(Evaluation{});
  const auto samples = static_cast<double>(own.samples);
  const auto sums = comm::all_reduce_values(
      site_, std::vector{samples, own.loss * samples, own.accuracy * samples});
  result.validation = Evaluation{.loss = sums[1] / sums[0],
                                 .accuracy = sums[2] / sums[0],
                                 .samples = static_cast<std::int64_t>(sums[0])};
}

}  // namespace convoy::trainer
