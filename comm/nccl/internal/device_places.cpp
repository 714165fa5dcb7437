// SPDX-License-Identifier: Apache-2.0
// Knows no CUDA: ranks without take part.
#include "comm/nccl/internal/device_places.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/errors.h"
#include "comm/values.h"

namespace convoy::comm::nccl {
namespace {

// A DevicePlace as it travels.
struct WirePlace {
  std::array<char, 64> host{};
  std::array<char, 320> problem{};
  std::uint64_t visible = 0;
  std::int32_t devices = 0;
  std::int32_t wanted = -1;
};

template <std::size_t N>
std::array<char, N> cut(const std::string& text) {
  std::array<char, N> array{};
  std::copy_n(text.begin(), std::min(text.size(), N - 1), array.begin());
  return array;
}

/// How many of the first `ranks` ranks, as `own` sees devices, want one in this way and can use it.
std::int64_t count_wanting(const std::vector<DevicePlace>& places, int ranks,
                           const DevicePlace& own, std::int32_t wanted) {
  return std::count_if(places.begin(), places.begin() + ranks, [&](const DevicePlace& place) {
    return place.host == own.host && place.visible == own.visible && place.wanted == wanted &&
           place.problem.empty();
  });
}

void check_usable(const std::vector<DevicePlace>& places) {
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    const DevicePlace& place = places[rank];
    if (place.wanted == DevicePlace::kNone || place.wanted == DevicePlace::kIfFree) continue;
    if (!place.problem.empty()) {
      throw ConfigError(fmt::format("rank {} on host {} has no usable CUDA device: {}", rank,
                                    place.host, place.problem));
    }
    if (place.wanted >= place.devices) {
      throw ConfigError(fmt::format("rank {} wants CUDA device {}, host {} has {}", rank,
                                    place.wanted, place.host, place.devices));
    }
  }
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

DevicePlace place_without_device() {
  return {.host = host_name(), .problem = "", .wanted = DevicePlace::kNone};
}

std::vector<DevicePlace> exchange_places(Communicator& bootstrap, const DevicePlace& own) {
  const WirePlace wire{cut<64>(own.host), cut<320>(own.problem), own.visible, own.devices,
                       own.wanted};
  std::vector<std::uint8_t> bytes(sizeof wire);
  std::memcpy(bytes.data(), &wire, sizeof wire);
  const auto all = all_gather_values(bootstrap, std::move(bytes));
  std::vector<DevicePlace> places;
  for (std::size_t at = 0; at < all.size(); at += sizeof wire) {
    WirePlace theirs;
    std::memcpy(&theirs, &all[at], sizeof theirs);
    places.push_back({.host = theirs.host.data(),
                      .problem = theirs.problem.data(),
                      .devices = theirs.devices,
                      .visible = theirs.visible,
                      .wanted = theirs.wanted});
  }
  return places;
}

int choose_device(const std::vector<DevicePlace>& places, int rank) {
  check_usable(places);
  const auto all = static_cast<int>(places.size());
  for (const DevicePlace& place : places) {
    const auto sharing = count_wanting(places, all, place, DevicePlace::kAny);
    if (place.wanted != DevicePlace::kAny || sharing <= place.devices) continue;
    throw ConfigError(fmt::format(
        "{} ranks on host {} share {} CUDA device{}: start one rank for each device there "
        "(CUDA_VISIBLE_DEVICES chooses which)",
        sharing, place.host, place.devices, place.devices == 1 ? "" : "s"));
  }
  const DevicePlace& own = places[static_cast<std::size_t>(rank)];
  if (own.wanted == DevicePlace::kAny) {
    return static_cast<int>(count_wanting(places, rank, own, DevicePlace::kAny));
  }
  if (own.wanted != DevicePlace::kIfFree) return own.wanted;
  const auto before = count_wanting(places, all, own, DevicePlace::kAny) +
                      count_wanting(places, rank, own, DevicePlace::kIfFree);
  return own.problem.empty() && before < own.devices ? static_cast<int>(before)
                                                     : DevicePlace::kNone;
}

}  // namespace convoy::comm::nccl
