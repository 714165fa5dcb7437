# SPDX-License-Identifier: Apache-2.0
# Finds the CUDA runtime and NCCL. Afterwards CONVOY_HAS_NCCL is true, and CONVOY_NCCL_INCLUDE_DIRS and
# CONVOY_NCCL_LINK say how to build with them; or it is false, and CONVOY_NCCL_MISSING says why.
# nvcc is not needed. Hints: CUDAToolkit_ROOT and NCCL_ROOT, as CMake or environment variables.
set(CONVOY_WITH_NCCL AUTO CACHE STRING "Build the NCCL backend: AUTO (where it is found), ON or OFF")
set_property(CACHE CONVOY_WITH_NCCL PROPERTY STRINGS AUTO ON OFF)
if(NOT CONVOY_WITH_NCCL MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "CONVOY_WITH_NCCL is ${CONVOY_WITH_NCCL}: AUTO, ON or OFF")
endif()

# All of it but its choice between the real library and nccl_missing.cpp; relative to the root.
set(CONVOY_NCCL_SOURCES
    comm/nccl/nccl.cpp comm/nccl/internal/call_queue.cpp comm/nccl/internal/call_queue_failures.cpp
    comm/nccl/internal/check.cpp comm/nccl/internal/collectives.cpp
    comm/nccl/internal/connection.cpp comm/nccl/internal/copies.cpp comm/nccl/internal/device.cpp comm/nccl/internal/handles.cpp
    comm/nccl/internal/marks.cpp comm/nccl/internal/nccl_communicator.cpp
    comm/nccl/internal/pending_call.cpp comm/nccl/internal/pinned_pool.cpp
    comm/nccl/internal/places.cpp comm/nccl/internal/staged.cpp comm/nccl/internal/staged_plans.cpp
    comm/nccl/internal/staging_communicator.cpp comm/nccl/internal/staging_queue.cpp
    comm/nccl/internal/staging_queue_failures.cpp
    comm/nccl/staging.cpp)
set(CONVOY_NCCL_OLDEST 2.14.0)  # the first whose communicators need not block

# The number behind `#define <name>` in a header.
function(convoy_read_define header name result)
  file(STRINGS ${header} lines REGEX "^#define[ \t]+${name}[ \t]+[0-9]+")
  string(REGEX REPLACE "^#define[ \t]+${name}[ \t]+([0-9]+).*" "\\1" number "${lines}")
  set(${result} ${number} PARENT_SCOPE)
endfunction()

function(convoy_find_nccl)
  set(cuda_hints ${CUDAToolkit_ROOT} $ENV{CUDAToolkit_ROOT} $ENV{CUDA_HOME} /usr/local/cuda)
  set(nccl_hints ${NCCL_ROOT} $ENV{NCCL_ROOT})
  if(LibTorch_NVIDIA)
    # The one that a wheel's LibTorch was built with: a process has one libnccl.so.2, and it calls the newest functions.
    list(APPEND nccl_hints ${LibTorch_NVIDIA}/nccl)
  endif()
  list(APPEND nccl_hints ${cuda_hints})
  find_path(CONVOY_CUDA_INCLUDE_DIR cuda_runtime_api.h HINTS ${cuda_hints} PATH_SUFFIXES include)
  find_library(CONVOY_CUDART_LIBRARY cudart HINTS ${cuda_hints} PATH_SUFFIXES lib64 lib)
  find_path(CONVOY_NCCL_INCLUDE_DIR nccl.h HINTS ${nccl_hints} PATH_SUFFIXES include)
  find_library(CONVOY_NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR HINTS ${nccl_hints}
               PATH_SUFFIXES lib64 lib)
  mark_as_advanced(CONVOY_CUDA_INCLUDE_DIR CONVOY_CUDART_LIBRARY CONVOY_NCCL_INCLUDE_DIR
                   CONVOY_NCCL_LIBRARY)
endfunction()

# What is not there, and what to install; empty when all is.
function(convoy_name_missing_nccl result)
  set(missing "")
  if(NOT CONVOY_CUDA_INCLUDE_DIR OR NOT CONVOY_CUDART_LIBRARY)
    list(APPEND missing "the CUDA runtime (cuda_runtime_api.h, libcudart.so: CUDA toolkit, or CUDAToolkit_ROOT)")
  endif()
  if(NOT CONVOY_NCCL_INCLUDE_DIR OR NOT CONVOY_NCCL_LIBRARY)
    list(APPEND missing "NCCL (nccl.h, libnccl.so: package libnccl-dev, or NCCL_ROOT)")
  else()
    foreach(part MAJOR MINOR PATCH)
      convoy_read_define(${CONVOY_NCCL_INCLUDE_DIR}/nccl.h NCCL_${part} number)
      list(APPEND numbers ${number})
    endforeach()
    list(JOIN numbers . version)
    set(CONVOY_NCCL_VERSION ${version} PARENT_SCOPE)
    if(version VERSION_LESS CONVOY_NCCL_OLDEST)
      list(APPEND missing "NCCL ${CONVOY_NCCL_OLDEST} or newer (${CONVOY_NCCL_INCLUDE_DIR}/nccl.h is ${version})")
    endif()
  endif()
  list(JOIN missing " and " text)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

set(CONVOY_HAS_NCCL FALSE)
if(CONVOY_WITH_NCCL STREQUAL "OFF")
  set(CONVOY_NCCL_MISSING "CONVOY_WITH_NCCL was OFF")
  message(STATUS "NCCL backend: off (CONVOY_WITH_NCCL=OFF)")
else()
  convoy_find_nccl()
  convoy_name_missing_nccl(CONVOY_NCCL_MISSING)
  if(CONVOY_NCCL_MISSING STREQUAL "")
    set(CONVOY_HAS_NCCL TRUE)
    convoy_read_define(${CONVOY_CUDA_INCLUDE_DIR}/cuda_runtime_api.h CUDART_VERSION CONVOY_CUDART_VERSION)
    set(CONVOY_NCCL_INCLUDE_DIRS ${CONVOY_CUDA_INCLUDE_DIR} ${CONVOY_NCCL_INCLUDE_DIR})
    # One item, so that it stays together: programs that do not use the backend are not to load 200 MB.
    get_filename_component(nccl_folder ${CONVOY_NCCL_LIBRARY} DIRECTORY)
    get_filename_component(cudart_folder ${CONVOY_CUDART_LIBRARY} DIRECTORY)
    set(CONVOY_NCCL_LINK "-Wl,--push-state,--as-needed,${CONVOY_NCCL_LIBRARY},${CONVOY_CUDART_LIBRARY},--pop-state,-rpath,${nccl_folder},-rpath,${cudart_folder}")
    message(STATUS "NCCL backend: on (NCCL ${CONVOY_NCCL_VERSION}: ${CONVOY_NCCL_LIBRARY}; "
                   "CUDA runtime ${CONVOY_CUDART_VERSION}: ${CONVOY_CUDART_LIBRARY})")
  elseif(CONVOY_WITH_NCCL STREQUAL "ON")
    message(FATAL_ERROR "CONVOY_WITH_NCCL is ON, and not found: ${CONVOY_NCCL_MISSING}. "
                        "Install it, or configure with -DCONVOY_WITH_NCCL=AUTO or OFF.")
  else()
    set(CONVOY_NCCL_MISSING "not found when it was built: ${CONVOY_NCCL_MISSING}")
    message(STATUS "NCCL backend: off (${CONVOY_NCCL_MISSING})")
  endif()
endif()
