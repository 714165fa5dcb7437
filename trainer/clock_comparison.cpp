// SPDX-License-Identifier: Apache-2.0
#include "trainer/clock_comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/hash.h"
#include "comm/values.h"

namespace convoy::trainer {
namespace {

using std::chrono::nanoseconds;

constexpr int kQuestions = 16;
constexpr int kTag = 11;

/// Memory of one number, for messages.
using Number = std::shared_ptr<std::int64_t>;

void send(comm::Communicator& communicator, std::int64_t value, int peer) {
  const Number number = std::make_shared<std::int64_t>(value);
  communicator
      .send(comm::ConstBuffer(std::span<const std::int64_t>(number.get(), 1), number), peer, kTag)
      .wait();
}

std::int64_t receive(comm::Communicator& communicator, int peer) {
  const Number number = std::make_shared<std::int64_t>();
  communicator.recv(comm::Buffer(std::span(number.get(), 1), number), peer, kTag).wait();
  return *number;
}

std::int64_t count(Timeline::Clock::time_point time) {
  return nanoseconds(time.time_since_epoch()).count();
}

/// Rank 0's part with one other rank.
void ask(comm::Communicator& communicator, int peer,
         const std::function<Timeline::Clock::time_point()>& now) {
  std::int64_t shortest = 0;
  std::int64_t ahead = 0;
  for (int i = 0; i < kQuestions; ++i) {
    const std::int64_t asked = count(now());
    send(communicator, 0, peer);
    const std::int64_t theirs = receive(communicator, peer);
    const std::int64_t took = count(now()) - asked;
    if (i > 0 && took >= shortest) continue;
    shortest = took;
    ahead = theirs - (asked + took / 2);
  }
  send(communicator, ahead, peer);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(file, text);
  // Ranks in time namespaces of their own read clocks of their own.
  std::error_code unknown;
  return text + std::filesystem::read_symlink("/proc/self/ns/time", unknown).string();
}

}  // namespace

bool have_one_clock(comm::Communicator& communicator) {
  const std::string id = boot_id();
  const auto own = static_cast<std::int64_t>(hash64(std::as_bytes(std::span(id))));
  const auto all = comm::all_gather_values(communicator, std::vector{own});
  return !id.empty() && std::ranges::count(all, own) == std::ssize(all);
}

ClockReading compare_clocks(comm::Communicator& communicator,
                            const std::function<Timeline::Clock::time_point()>& now) {
  if (communicator.rank() == 0) {
    for (int peer = 1; peer < communicator.size(); ++peer) ask(communicator, peer, now);
    return {now(), nanoseconds(0)};
  }
  for (int i = 0; i < kQuestions; ++i) {
    (void)receive(communicator, 0);
    send(communicator, count(now()), 0);
  }
  const nanoseconds ahead(receive(communicator, 0));
  return {now(), ahead};
}

nanoseconds ahead_at(const ClockReading& first, const ClockReading& second,
                     Timeline::Clock::time_point at) {
  if (second.at <= first.at) return first.ahead;
  const double part = static_cast<double>((at - first.at).count()) /
                      static_cast<double>((second.at - first.at).count());
  const double drift = static_cast<double>((second.ahead - first.ahead).count());
  return first.ahead + nanoseconds(std::llround(part * drift));
}

}  // namespace convoy::trainer
