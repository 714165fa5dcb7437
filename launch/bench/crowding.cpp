// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/crowding.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <thread>

#include "base/hash.h"
#include "comm/values.h"

namespace convoy::launch {
namespace {

/// The kernel's mark of this start: namespaces and containers share it.
std::int64_t machine_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return static_cast<std::int64_t>(hash64(std::as_bytes(std::span(id))));
}

}  // namespace

std::vector<double> crowding(const std::vector<Seat>& seats) {
  std::map<std::int64_t, int> ranks;  // by machine
  std::vector<double> most;
  double now = 1.0;
  for (const Seat& seat : seats) {
    now = std::max(now, static_cast<double>(++ranks[seat.machine]) / seat.cores);
    most.push_back(now);
  }
  return most;
}

std::vector<double> crowding(comm::Communicator& communicator) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const auto values =
      comm::all_gather_values(communicator, std::vector<std::int64_t>{machine_id(), cores});
  std::vector<Seat> seats;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    seats.push_back({values[i], static_cast<int>(values[i + 1])});
  }
  return crowding(seats);
}

}  // namespace convoy::launch
