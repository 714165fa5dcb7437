// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace convoy::trainer::internal {

/// Returns when what this thread has put on its stream of `device` is done; at once for the CPU.
/// Other streams go on.
inline void wait_for_stream(c10::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
}

}  // namespace convoy::trainer::internal
