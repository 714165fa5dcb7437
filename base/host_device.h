// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks functions that nvcc compiles for the host and for the device; nothing for other compilers.
#if defined(__CUDACC__)
#define CONVOY_HOST_DEVICE __host__ __device__
#else
#define CONVOY_HOST_DEVICE
#endif
