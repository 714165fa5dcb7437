// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/thread_clients.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/errors.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {

ThreadClients::ThreadClients(const MakeTrainer& make_trainer, int workers,
                             std::vector<ClientData> clients, const compress::UpdateCodec* codec)
    : codec_(codec) {
  for (auto& data : clients) clients_.emplace_back(std::move(data), codec);
  require(workers >= 1, "ThreadClients: at least one worker");
  for (int i = 0; i < workers; ++i) trainers_.push_back(make_trainer());
  for (const auto& trainer : trainers_) {
    threads_.emplace_back(
        [this, own = trainer.get()](const std::stop_token& stop) { work(*own, stop); });
  }
}

ThreadClients::~ThreadClients() {
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
    Done done = train(trainer, assignment, stop);
    lock.lock();
    done_.insert_or_assign(assignment.client, std::move(done));
    work_done_.notify_all();
  }
}

ThreadClients::Done ThreadClients::train(LocalTrainer& trainer, const Assignment& assignment,
                                         const std::stop_token& stop) {
  Done done{.not_before = assignment.not_before};
  done.report.client = assignment.client;
  try {
    // Nobody else touches it: a client has one assignment at a time.
    ClientEnd& client = clients_[static_cast<std::size_t>(assignment.client)];
    done.report = client.train(trainer, assignment, *assignment.start,
                               [&stop] { return !stop.stop_requested(); });
    if (codec_ != nullptr && done.report.result.finite) {
      done.report.result.update.delta =
          decode(*codec_, done.report.payload, assignment.start->parameters);
    }
    done.report.payload = {};
  } catch (...) {
    done.error = std::current_exception();
  }
  return done;
}

ClientReport ThreadClients::take(DoneByClient::iterator found) {
  Done done = std::move(done_.extract(found).mapped());
  if (done.error) std::rethrow_exception(done.error);
  clients_[static_cast<std::size_t>(done.report.client)].mark();  // it is idle now
  return std::move(done.report);
}

ClientReport ThreadClients::wait_for(std::int64_t client) {
  std::unique_lock lock(mutex_);
  work_done_.wait(lock, [&] { return done_.contains(client); });
  return take(done_.find(client));
}

ThreadClients::DoneByClient::iterator ThreadClients::earliest() {
  return std::min_element(done_.begin(), done_.end(), [](const auto& a, const auto& b) {
    return a.second.not_before < b.second.not_before;
  });
}

std::optional<ClientReport> ThreadClients::next(WallTime until) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    const auto found = earliest();
    if (found != done_.end() && found->second.not_before <= now) return take(found);
    if (now >= until) return std::nullopt;
    work_done_.wait_until(lock,
                          found == done_.end() ? until : std::min(until, found->second.not_before));
  }
}

void ThreadClients::take_back(std::int64_t client) {
  clients_[static_cast<std::size_t>(client)].take_back();
}

std::vector<NamedTensor> ThreadClients::residuals() {
  std::vector<NamedTensor> all;
  for (std::size_t i = 0; codec_ != nullptr && i < clients_.size(); ++i) {
    auto values = clients_[i].marked_residual();
    all.push_back({std::to_string(i), torch::tensor(values, torch::kFloat)});
  }
  return all;
}

void ThreadClients::restore_residuals(const std::vector<NamedTensor>& residuals) {
  for (const auto& [name, tensor] : residuals) {
    const auto* begin = tensor.data_ptr<float>();
    clients_.at(std::stoul(name)).restore({begin, begin + tensor.numel()});
  }
}

}  // namespace convoy::trainer
