// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "comm/communicator.h"
#include "comm/nccl/internal/copies.h"
#include "comm/nccl/internal/handles.h"

namespace convoy::comm::nccl {

/// One rank's NCCL communicator with its device and streams. It does not block: every NCCL call
/// may still be in progress when it returns, and until in_progress() is false no other may be made.
/// One thread at a time, with the device current.
class Connection {
 public:
  /// Makes the unique id at rank 0 and waits for all ranks of `bootstrap`. Collective.
  /// @throws CommError that names the rank and what failed, after the timeout of `bootstrap` at the
  ///         latest.
  Connection(Communicator& bootstrap, int device);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int device() const { return device_; }
  [[nodiscard]] ncclComm_t comm() const { return comm_.get(); }
  /// Where all of NCCL's work goes.
  [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }
  /// For copies from and to the host, which must not wait for collectives.
  [[nodiscard]] const Copies& copies() const { return *copies_; }

  /// True while NCCL has not taken the last call. @throws internal::TransportError for what has
  /// failed since, here or at a peer as far as NCCL knows.
  [[nodiscard]] bool in_progress();
  /// Ends everything that is under way. @return true when nothing of it touches memory any more;
  /// false where the streams would not come to rest within kRest.
  [[nodiscard]] bool abort() noexcept;
  /// The end in peace, when nothing is under way: waits for NCCL for kRest at most, then aborts.
  void close() noexcept;

 private:
  void connect(Communicator& bootstrap);
  [[nodiscard]] bool finalize();

  int rank_;
  int size_;
  int device_;
  Stream stream_;
  std::optional<Copies> copies_;  // always, once it is made
  NcclComm comm_;
};

/// Between ncclGroupStart() and ncclGroupEnd(): what is called meanwhile goes as one. The group of
/// a thread ends even where a call in it throws.
class Group {
 public:
  Group();
  /// Hands the calls over. @throws internal::TransportError.
  void end();
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

 private:
  bool open_ = true;
};

}  // namespace convoy::comm::nccl
