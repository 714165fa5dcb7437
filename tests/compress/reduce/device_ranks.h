// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "comm/nccl/internal/handles.h"
#include "compress/reduce/executor.h"

namespace convoy::tests {

/// The stream of the double on which this rank, a thread, reduces for as long as this lives. Of the
/// current device.
class RankStream {
 public:
  RankStream();
  ~RankStream();
  RankStream(const RankStream&) = delete;
  RankStream& operator=(const RankStream&) = delete;
  /// As communicators take it.
  [[nodiscard]] std::uintptr_t number() const {
    return reinterpret_cast<std::uintptr_t>(stream_.get());
  }

 private:
  comm::nccl::Stream stream_;
};

/// The kernels, queued on this rank's stream; on the host where it has none.
[[nodiscard]] compress::Executors executors_of_rank();

}  // namespace convoy::tests
