# SPDX-License-Identifier: Apache-2.0
# CONVOY_WITH_CUDA: whether compress/cuda has kernels or only says that they are missing. Sets
# CONVOY_CUDA, finds the toolkit, and chooses for which GPUs there is code.
set(CONVOY_WITH_CUDA AUTO CACHE STRING "Build the CUDA kernels: AUTO (where nvcc works), ON or OFF")
set_property(CACHE CONVOY_WITH_CUDA PROPERTY STRINGS AUTO ON OFF)
set(CONVOY_OLDEST_NVCC 12.0)  # the first that knows C++20

# Sets `missing` to what keeps nvcc from being used, empty if nothing does, and the variables
# CONVOY_NVCC and CONVOY_NVCC_VERSION.
function(convoy_look_for_nvcc missing)
  set(${missing} "" PARENT_SCOPE)
  if(CMAKE_CUDA_COMPILER)
    set(CONVOY_NVCC ${CMAKE_CUDA_COMPILER} CACHE FILEPATH "CUDA compiler")
  elseif(DEFINED ENV{CUDACXX})
    set(CONVOY_NVCC $ENV{CUDACXX} CACHE FILEPATH "CUDA compiler")
  endif()
  find_program(CONVOY_NVCC nvcc PATHS /usr/local/cuda/bin ENV CUDA_PATH PATH_SUFFIXES bin)
  if(NOT CONVOY_NVCC)
    set(${missing} "no nvcc: install the CUDA toolkit or set CUDACXX" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${CONVOY_NVCC} --version OUTPUT_VARIABLE text ERROR_QUIET)
  string(REGEX MATCH "V([0-9.]+)" version "${text}")
  set(version ${CMAKE_MATCH_1})
  set(CONVOY_NVCC_VERSION ${version} PARENT_SCOPE)
  if(NOT version)
    set(${missing} "${CONVOY_NVCC} is no nvcc that runs" PARENT_SCOPE)
    return()
  elseif(version VERSION_LESS CONVOY_OLDEST_NVCC)
    set(${missing} "${CONVOY_NVCC} is version ${version}, ${CONVOY_OLDEST_NVCC} is needed" PARENT_SCOPE)
    return()
  endif()
  # With this host compiler, and linked: a toolkit may lack its headers or its runtime.
  set(probe ${PROJECT_BINARY_DIR}/CMakeFiles/cuda_probe)
  file(WRITE ${probe}.cu "#include <cuda_runtime.h>\n#include <span>\n__global__ void k() {}\nint main() { k<<<1, 1>>>(); return cudaDeviceSynchronize(); }\n")
  execute_process(COMMAND ${CONVOY_NVCC} -std=c++20 -ccbin ${CMAKE_CXX_COMPILER} ${probe}.cu -o ${probe}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed)
    string(STRIP "${text}" text)
    set(${missing} "${CONVOY_NVCC} cannot build with ${CMAKE_CXX_COMPILER}: ${text}" PARENT_SCOPE)
  endif()
endfunction()

set(CONVOY_CUDA OFF)
if(NOT CONVOY_WITH_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "CONVOY_WITH_CUDA is ${CONVOY_WITH_CUDA}; AUTO, ON or OFF is needed")
elseif(CONVOY_WITH_CUDA STREQUAL "OFF")
  set(convoy_cuda_summary "off, as asked for")
elseif(CONVOY_SANITIZE AND CONVOY_WITH_CUDA STREQUAL "AUTO")
  # Sanitizers see the kernels when tests run them on the host.
  set(convoy_cuda_summary "off with a sanitizer")
else()
  convoy_look_for_nvcc(convoy_cuda_missing)
  if(NOT convoy_cuda_missing)
    set(CONVOY_CUDA ON)
  elseif(CONVOY_WITH_CUDA STREQUAL "ON")
    message(FATAL_ERROR "CONVOY_WITH_CUDA is ON, but ${convoy_cuda_missing}")
  else()
    set(convoy_cuda_summary "off: ${convoy_cuda_missing}")
  endif()
endif()

if(CONVOY_CUDA)
  # Code for 80 runs on 86 and 89 too; PTX of 90 is compiled by the driver of newer GPUs.
  set(convoy_cuda_native 75 80 90)
  if(CONVOY_NVCC_VERSION VERSION_LESS 13)
    list(PREPEND convoy_cuda_native 70)
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    list(TRANSFORM convoy_cuda_native APPEND -real OUTPUT_VARIABLE CMAKE_CUDA_ARCHITECTURES)
    list(APPEND CMAKE_CUDA_ARCHITECTURES 90-virtual)
  endif()
  set(CMAKE_CUDA_COMPILER ${CONVOY_NVCC})
  set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
  if(NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 knows no C++20 for nvcc
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  find_package(CUDAToolkit REQUIRED)
  set(convoy_cuda_summary "on, nvcc ${CONVOY_NVCC_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
  if(NOT CONVOY_NVCC_VERSION VERSION_LESS 13)
    string(APPEND convoy_cuda_summary " (nvcc 13 has dropped 70)")
  endif()
endif()
message(STATUS "CUDA kernels: ${convoy_cuda_summary}")

# convoy_add_kernels(name a.cu ...): an object library of CUDA sources, with the arithmetic of the
# CPU: no fused multiply-add, subnormal numbers kept, divisions rounded right.
function(convoy_add_kernels name)
  add_library(${name} OBJECT ${ARGN})
  set_target_properties(${name} PROPERTIES CUDA_STANDARD 20 CUDA_EXTENSIONS OFF
                        POSITION_INDEPENDENT_CODE ON)
  # nvcc's own intermediate files are not pedantic.
  set(host_flags ${CONVOY_WARNINGS} -Werror -ffp-contract=off)
  list(REMOVE_ITEM host_flags -Wpedantic)
  list(JOIN host_flags "," host_flags)
  target_compile_options(${name} PRIVATE --fmad=false --ftz=false --prec-div=true --prec-sqrt=true
    --expt-relaxed-constexpr --Werror=all-warnings -Xcompiler=${host_flags})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()
