// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/cuda/host_engine.h"

#include "tests/compress/cuda/host_codecs.h"

namespace convoy::compress::cuda {

std::unique_ptr<Engine> make_host_engine() {
  return std::make_unique<EngineOn<HostRunner>>(HostRunner());
}

}  // namespace convoy::compress::cuda
