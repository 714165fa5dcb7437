// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/thread_clients.h"

#include <string>
#include <utility>

#include "base/errors.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {

ThreadClients::ThreadClients(const MakeTrainer& make_trainer, int workers,
                             std::vector<ClientData> clients, const compress::UpdateCodec* codec,
                             const MakeRule& make_rule)
    : codec_(codec) {
  for (auto& data : clients) {
    auto rule = make_rule ? make_rule(std::ssize(clients_)) : nullptr;
    clients_.emplace_back(std::move(data), codec, std::move(rule));
  }
  require(workers >= 1, "ThreadClients: at least one worker");
  for (int i = 0; i < workers; ++i) trainers_.push_back(make_trainer());
  for (const auto& trainer : trainers_) {
    threads_.emplace_back(
        [this, own = trainer.get()](const std::stop_token& stop) { work(*own, stop); });
  }
}

ThreadClients::~ThreadClients() { stop(); }

void ThreadClients::stop() {
  for (auto& thread : threads_) thread.request_stop();  // all, before the first is waited for
}

void ThreadClients::start(Assignment assignment) {
  require(assignment.client >= 0 && assignment.client < std::ssize(clients_),
          "ThreadClients: no such client");
  {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(assignment.due, std::move(assignment));
  }
  work_arrived_.notify_one();
}

void ThreadClients::work(LocalTrainer& trainer, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (work_arrived_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
    if (stop.stop_requested()) return;
    const Assignment assignment = std::move(waiting_.extract(waiting_.begin()).mapped());
    lock.unlock();
    try {
      auto report = train(trainer, assignment, stop);
      reports_.put(std::move(report), std::chrono::steady_clock::now(), assignment.not_before);
    } catch (...) {
      reports_.fail(std::current_exception());
    }
    lock.lock();
  }
}

ClientReport ThreadClients::train(LocalTrainer& trainer, const Assignment& assignment,
                                  const std::stop_token& stop) {
  // Nobody else touches it: a client has one assignment at a time.
  ClientEnd& client = clients_[static_cast<std::size_t>(assignment.client)];
  ClientReport report = client.train(trainer, assignment, *assignment.start,
                                     [&stop] { return !stop.stop_requested(); });
  if (codec_ != nullptr && report.result.finite) {
    report.result.update.delta = decode(*codec_, report.payload, assignment.start->parameters);
  }
  report.payload = {};
  return report;
}

std::optional<ClientReport> ThreadClients::handed_out(std::optional<ClientReport> report) {
  if (report) clients_[static_cast<std::size_t>(report->client)].mark();  // it is idle now
  return report;
}

void ThreadClients::take_back(std::int64_t client) {
  clients_[static_cast<std::size_t>(client)].take_back();
}

void ThreadClients::ask_for_residuals() {
  residuals_.clear();
  for (std::size_t i = 0; codec_ != nullptr && i < clients_.size(); ++i) {
    auto values = clients_[i].marked_residual();
    residuals_.push_back({std::to_string(i), torch::tensor(values, torch::kFloat)});
  }
}

void ThreadClients::restore_residuals(const std::vector<NamedTensor>& residuals) {
  for (const auto& [name, tensor] : residuals) {
    const auto* begin = tensor.data_ptr<float>();
    clients_.at(std::stoul(name)).restore({begin, begin + tensor.numel()});
  }
}

}  // namespace convoy::trainer
