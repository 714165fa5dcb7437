// SPDX-License-Identifier: Apache-2.0
#include "launch/process/transport_choice.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <system_error>

#include "comm/tcp/tcp.h"
#include "comm/values.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHostBytes = 64;

bool has_entries(const char* folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  return !error && entries != fs::directory_iterator();
}

}  // namespace

std::vector<std::string> host_names(comm::Communicator& communicator) {
  std::vector<std::uint8_t> own(kHostBytes);
  // One byte less: the name ends with a zero even where it is cut.
  ::gethostname(reinterpret_cast<char*>(own.data()), kHostBytes - 1);
  const auto all = comm::all_gather_values(communicator, std::move(own));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all.size(); i += kHostBytes) {
    names.emplace_back(reinterpret_cast<const char*>(&all[i]));
  }
  return names;
}

std::unique_ptr<comm::Communicator> split_by_host(comm::Communicator& world) {
  const auto hosts = host_names(world);
  const std::set<std::string> different(hosts.begin(), hosts.end());
  if (different.size() == 1 || different.size() == hosts.size()) return nullptr;
  const auto first = std::ranges::find(hosts, hosts[static_cast<std::size_t>(world.rank())]);
  return world.split(static_cast<int>(first - hosts.begin()), world.rank());
}

bool has_fast_fabric() {
  constexpr std::array kFolders{"/sys/class/infiniband", "/sys/class/cxi", "/sys/class/cxi_user"};
  return std::ranges::any_of(kFolders, has_entries);
}

bool choose_tcp(const std::string& transport, const std::vector<std::string>& hosts,
                bool fast_fabric) {
  if (transport != "auto") return transport == "tcp";
  const bool one_host =
      std::ranges::all_of(hosts, [&](const std::string& host) { return host == hosts.front(); });
  return !one_host && !fast_fabric;
}

std::unique_ptr<comm::Communicator> make_bulk_communicator(
    comm::Communicator& world, const trainer::CommunicationConfig& config) {
  if (world.size() == 1 || config.transport == "mpi") return nullptr;
  const bool fast = comm::all_reduce_value<std::int32_t>(world, has_fast_fabric() ? 1 : 0,
                                                         comm::ReduceOp::kMax) != 0;
  if (!choose_tcp(config.transport, host_names(world), fast)) return nullptr;
  return comm::tcp::make(world, {.network = config.network});
}

}  // namespace convoy::launch
