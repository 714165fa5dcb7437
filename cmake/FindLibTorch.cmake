# SPDX-License-Identifier: Apache-2.0
# Finds LibTorch by its files: Debian's, an archive of pytorch.org, or the wheel `torch` of PyPI, whose
# folder torch/ goes into CMAKE_PREFIX_PATH. LibTorch's own package is not asked: a wheel's insists on
# the CUDA toolkit that it was built with, and what it adds to compile flags differs by version.
#
# LibTorch::LibTorch, LibTorch_VERSION, LibTorch_FOUND; LibTorch_HAS_CUDA where it can compute on GPUs;
# LibTorch_PREFIX; LibTorch_NVIDIA where a wheel's own wheels of NVIDIA's libraries are installed beside it.
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h)
mark_as_advanced(LibTorch_INCLUDE_DIR)
set(libtorch_libraries torch torch_cpu c10)
# Those beside the headers, never another LibTorch's.
cmake_path(GET LibTorch_INCLUDE_DIR PARENT_PATH LibTorch_PREFIX)
foreach(name IN LISTS libtorch_libraries)
  find_library(LibTorch_${name} ${name} HINTS ${LibTorch_PREFIX}/lib)
  mark_as_advanced(LibTorch_${name})
  list(APPEND libtorch_needed LibTorch_${name})
endforeach()

foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT LibTorch_VERSION AND EXISTS ${LibTorch_INCLUDE_DIR}/${header})
    file(STRINGS ${LibTorch_INCLUDE_DIR}/${header} libtorch_lines
         REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    list(TRANSFORM libtorch_lines REPLACE ".* ([0-9]+)$" "\\1")
    list(JOIN libtorch_lines "." LibTorch_VERSION)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_cpu LibTorch_INCLUDE_DIR ${libtorch_needed}
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE
    "Debian's libtorch-dev has it. For another one set CMAKE_PREFIX_PATH to the folder that holds include/ and lib/ (docs/install.md).")

cmake_path(GET LibTorch_torch_cpu PARENT_PATH libtorch_folder)
set(LibTorch_HAS_CUDA FALSE)
if(EXISTS ${libtorch_folder}/libtorch_cuda.so)
  set(LibTorch_HAS_CUDA TRUE)
endif()
cmake_path(GET LibTorch_PREFIX PARENT_PATH LibTorch_NVIDIA)
string(APPEND LibTorch_NVIDIA /nvidia)
if(NOT EXISTS ${LibTorch_NVIDIA})
  set(LibTorch_NVIDIA "")
endif()

# A wheel brings headers of other projects along, fmt's for one, and a protoc, of versions that are not
# those of the libraries here: only LibTorch's own are shown to the compiler, and nothing else of it is
# found from now on.
set(libtorch_headers ${LibTorch_INCLUDE_DIR})
if(EXISTS ${LibTorch_INCLUDE_DIR}/fmt AND EXISTS ${LibTorch_INCLUDE_DIR}/pybind11)
  list(APPEND CMAKE_IGNORE_PREFIX_PATH ${LibTorch_PREFIX})
  set(libtorch_headers ${CMAKE_BINARY_DIR}/libtorch-headers)
  file(MAKE_DIRECTORY ${libtorch_headers})
  foreach(folder ATen c10 caffe2 torch)
    file(CREATE_LINK ${LibTorch_INCLUDE_DIR}/${folder} ${libtorch_headers}/${folder} SYMBOLIC)
  endforeach()
endif()
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  foreach(name IN LISTS libtorch_libraries)
    target_link_libraries(LibTorch::LibTorch INTERFACE ${LibTorch_${name}})
  endforeach()
  if(LibTorch_HAS_CUDA)
    # Nothing here names a symbol of it, and a linker that drops what is not needed would leave CPUs only.
    target_link_libraries(LibTorch::LibTorch INTERFACE
      "-Wl,--push-state,--no-as-needed,${LibTorch_torch},--pop-state")
  endif()
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
    ${libtorch_headers} ${libtorch_headers}/torch/csrc/api/include)
endif()
