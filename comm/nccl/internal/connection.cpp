// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/connection.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/internal/wait_until.h"
#include "comm/values.h"

namespace convoy::comm::nccl {
namespace {

// Rank 0 brings it. Where it cannot, it tells the others so, with an empty one.
ncclUniqueId exchange_id(Communicator& bootstrap) {
  ncclUniqueId id{};
  ncclResult_t result = ncclSuccess;
  if (bootstrap.rank() == 0) result = ncclGetUniqueId(&id);
  std::vector<std::uint8_t> bytes;
  if (result == ncclSuccess) bytes.assign(id.internal, id.internal + sizeof id.internal);
  bytes = broadcast_values(bootstrap, std::move(bytes), 0);
  check_nccl(result, "ncclGetUniqueId");
  if (bytes.size() != sizeof id.internal) {
    throw internal::TransportError("rank 0 could not make a unique id");
  }
  std::memcpy(id.internal, bytes.data(), bytes.size());
  return id;
}

}  // namespace

Connection::Connection(Communicator& bootstrap, int device)
    : rank_(bootstrap.rank()), size_(bootstrap.size()), device_(device) {
  try {
    const DeviceGuard guard(device);
    connect(bootstrap);
    stream_ = make_stream();
    copies_.emplace();
  } catch (const internal::TransportError& error) {
    throw CommError(
        fmt::format("nccl set-up rank {}/{}, device {}: {}", rank_, size_, device, error.what()));
  }
}

void Connection::connect(Communicator& bootstrap) {
  const ncclUniqueId id = exchange_id(bootstrap);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comm = nullptr;
  check_nccl(ncclCommInitRankConfig(&comm, size_, id, rank_, &config), "ncclCommInitRankConfig");
  comm_ = NcclComm(comm);
  const auto timeout = bootstrap.options().timeout;
  if (wait_until([&] { return !in_progress(); }, timeout)) return;
  throw internal::TransportError(
      fmt::format("ncclCommInitRankConfig: not all ranks have come within {:.1f} s",
                  std::chrono::duration<double>(timeout).count()));
}

bool Connection::in_progress() {
  ncclResult_t state = ncclSuccess;
  check_nccl(ncclCommGetAsyncError(comm(), &state), "ncclCommGetAsyncError", comm());
  check_nccl(state, "asynchronous error of NCCL", comm());
  return state == ncclInProgress;
}

bool Connection::abort() noexcept {
  try {
    const DeviceGuard guard(device_);
    comm_ = NcclComm();  // see NcclComm
    return wait_until([&] { return is_idle(stream_) && copies_->at_rest(); }, kRest);
  } catch (const std::exception&) {
    return false;  // a device that answers with errors may still write
  }
}

void Connection::close() noexcept {
  try {
    const DeviceGuard guard(device_);
    if (finalize()) warn_nccl(ncclCommDestroy(comm_.release()), "ncclCommDestroy");
  } catch (const std::exception&) {
    // What follows is the same as for a time out.
  }
  if (comm() != nullptr) static_cast<void>(abort());
}

bool Connection::finalize() {
  check_nccl(ncclCommFinalize(comm()), "ncclCommFinalize", comm());
  return wait_until([&] { return !in_progress(); }, kRest);
}

Group::Group() { check_nccl(ncclGroupStart(), "ncclGroupStart"); }

void Group::end() {
  open_ = false;
  check_nccl(ncclGroupEnd(), "ncclGroupEnd");
}

Group::~Group() {
  if (open_) warn_nccl(ncclGroupEnd(), "ncclGroupEnd");
}

}  // namespace convoy::comm::nccl
