// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/thread_clients.h"

#include <algorithm>

#include "base/errors.h"
#include "trainer/stopwatch.h"

namespace convoy::trainer {

ThreadClients::ThreadClients(const MakeTrainer& make_trainer, int workers,
                             std::vector<ClientData> clients)
    : clients_(std::move(clients)) {
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
  ClientReport& report = done.report;
  report.client = assignment.client;
  report.round = assignment.round;
  try {
    // Nobody else touches it: a client has one assignment at a time.
    ClientData& data = clients_[static_cast<std::size_t>(assignment.client)];
    data.set_position(assignment.position);
    Stopwatch watch;
    report.result = trainer.run(data, *assignment.start, assignment.steps, stop);
    report.training_seconds = watch.lap();
    report.position = data.position();
    report.result.update.client = assignment.client;
    report.result.update.version = assignment.version;
  } catch (...) {
    done.error = std::current_exception();
  }
  return done;
}

ClientReport ThreadClients::take(DoneByClient::iterator found) {
  Done done = std::move(done_.extract(found).mapped());
  if (done.error) std::rethrow_exception(done.error);
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

}  // namespace convoy::trainer
