// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/silo_worker.h"

#include <exception>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/sites/silo_orders.h"
#include "trainer/together.h"

namespace convoy::trainer {
namespace {

using silo::Order;

std::unique_ptr<SiloRank> make_rank(comm::Communicator& site, SiloOffer offer,
                                    const MakeSilo& make) {
  offer.job = silo::share_text(site, offer.job);
  offer.script = silo::share_text(site, offer.script);
  std::optional<SiloSetup> setup;
  std::exception_ptr failure;
  try {
    setup.emplace(make(offer));
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  silo::meet(site);  // one may read its data for longer than the others' waits last
  together(site, [&] {
    if (failure) std::rethrow_exception(failure);
  });
  return std::make_unique<SiloRank>(site, std::move(*setup));
}

}  // namespace

class Silo::Worker final : public SiteWorker {
 public:
  Worker(Silo& silo, std::unique_ptr<SiloRank> rank)
      : silo_(silo), rank_(std::move(rank)), like_(copy_state(rank_->model())) {}

  [[nodiscard]] LocalResult train(const SiteRound& round, const ModelState& start,
                                  const KeepGoing& keep_going) override {
    silo_.failed_ = true;
    silo::tell(silo_.site_, {.kind = Order::Kind::kTrain, .round = round});
    (void)silo::share_model(silo_.site_, start, like_);
    LocalResult result = rank_->train(round, start, keep_going);
    silo_.failed_ = false;
    return result;
  }

  [[nodiscard]] std::int64_t position() const override { return rank_->position(); }
  [[nodiscard]] std::int64_t samples() const override { return rank_->samples(); }
  [[nodiscard]] std::int64_t ranks() const override { return silo_.site_.size(); }
  [[nodiscard]] const Model& model() const override { return rank_->model(); }

 private:
  Silo& silo_;
  std::unique_ptr<SiloRank> rank_;
  ModelState like_;
};

Silo::~Silo() {
  if (failed_ || site_.poisoned()) return;
  try {
    silo::tell(site_, {.kind = Order::Kind::kEnd});
  } catch (const std::exception& error) {
    logger("trainer")->warn("the other ranks of the site could not be ended: {}", error.what());
  }
}

std::unique_ptr<SiteWorker> Silo::start(const SiloOffer& offer, const MakeSilo& make) {
  failed_ = true;
  silo::tell(site_, {.kind = Order::Kind::kJob, .number = offer.number});
  auto worker = std::make_unique<Worker>(*this, make_rank(site_, offer, make));
  failed_ = false;
  return worker;
}

void serve_silo(comm::Communicator& site, const MakeSilo& make) {
  std::unique_ptr<SiloRank> rank;
  ModelState like;
  for (;;) {
    const Order order = silo::await_order(site);
    if (order.kind == Order::Kind::kEnd) return;
    if (order.kind == Order::Kind::kJob) {
      rank.reset();
      rank = make_rank(site, {.number = order.number}, make);
      like = copy_state(rank->model());
      continue;
    }
    require(rank != nullptr, "serve_silo: a round before its job");
    const ModelState start = silo::share_model(site, like, like);
    (void)rank->train(order.round, start, {});
  }
}

}  // namespace convoy::trainer
