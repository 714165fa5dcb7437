# SPDX-License-Identifier: Apache-2.0
# One function for each kind of target, so that every folder's CMakeLists.txt is a list of names.

set(CONVOY_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)

# Flags shared by everything that is compiled here. All targets get the same, so that they can share
# the precompiled LibTorch headers.
function(convoy_set_flags target)
  target_compile_options(${target} PRIVATE ${CONVOY_WARNINGS} -ffp-contract=off)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/convoy>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(CONVOY_SANITIZE)
    string(REPLACE ";" "," sanitizers "${CONVOY_SANITIZE}")
    target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-omit-frame-pointer -g1)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
  endif()
endfunction()

# Lets ccache see through a precompiled header.
set(CONVOY_PCH_FLAGS $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)

# Compiles LibTorch's headers once for all targets that ask for TORCH.
add_library(convoy_torch_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cpp)
convoy_set_flags(convoy_torch_pch)
target_link_libraries(convoy_torch_pch PRIVATE convoy_torch)
target_compile_options(convoy_torch_pch PRIVATE ${CONVOY_PCH_FLAGS})
target_precompile_headers(convoy_torch_pch PRIVATE <torch/script.h> <torch/torch.h>)

function(convoy_use_torch target)
  target_link_libraries(${target} PUBLIC convoy_torch)
  target_precompile_headers(${target} REUSE_FROM convoy_torch_pch)
  target_compile_options(${target} PRIVATE ${CONVOY_PCH_FLAGS})
endfunction()

# convoy_add_library(comm SOURCES ... HEADERS ... [PUBLIC libs...] [PRIVATE libs...] [TORCH])
# Makes convoy_comm with alias convoy::comm. HEADERS are the public ones: installed, and each
# compiled alone by the target all_verify_interface_header_sets.
function(convoy_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  set(target convoy_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(convoy::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  convoy_set_flags(${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                                  FILES ${arg_HEADERS})
  target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(arg_TORCH)
    convoy_use_torch(${target})
  else()
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()
  set_property(GLOBAL APPEND PROPERTY CONVOY_LIBRARIES ${target})
endfunction()

# convoy_add_program(name SOURCES ... LIBS ... [TORCH])
function(convoy_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  convoy_set_flags(${name})
  # -fPIC instead of -fPIE, as the precompiled headers have it: GCC ignores them otherwise.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_link_libraries(${name} PRIVATE ${arg_LIBS})
  if(arg_TORCH)
    convoy_use_torch(${name})
  endif()
endfunction()

# The tests without labels: what ./run sanitize needs, less than all.
add_custom_target(unit_tests)

# Tests are compiled often and run once: not optimised, they build in half the time.
set(CONVOY_TEST_FLAGS -O0)

# What tests run with under a sanitizer. Modules that are not instrumented (LibTorch, OpenMP, Open MPI)
# are taken for correct; Open MPI leaks.
set(CONVOY_TEST_ENVIRONMENT "")
if("thread" IN_LIST CONVOY_SANITIZE)
  list(APPEND CONVOY_TEST_ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp \
ignore_noninstrumented_modules=1")
endif()
if("address" IN_LIST CONVOY_SANITIZE)
  list(APPEND CONVOY_TEST_ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
endif()

# convoy_add_test(name SOURCES a_test.cpp ... LIBS ... [RANKS 1 2 3 4] [TORCH] [TIMEOUT s] [LABELS ...])
# One executable with GoogleTest. With RANKS it links tests/mpi_main.cpp and runs once for each
# number of MPI ranks, label `mpi`; it fails when the world is not as large as asked for.
function(convoy_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "TIMEOUT" "SOURCES;LIBS;RANKS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  foreach(source IN LISTS arg_SOURCES)
    set_property(GLOBAL APPEND PROPERTY CONVOY_TEST_FILES ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  endforeach()
  convoy_add_program(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS} GTest::gtest ${CMAKE_DL_LIBS})
  target_compile_definitions(${name} PRIVATE
    CONVOY_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" CONVOY_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    CONVOY_PROGRAM="${PROJECT_BINARY_DIR}/bin/convoy")
  target_compile_options(${name} PRIVATE ${CONVOY_TEST_FLAGS})
  if(arg_TORCH)
    # A precompiled header of the tests' own: the definitions above would make the other one differ.
    target_link_libraries(${name} PRIVATE convoy_torch)
    target_compile_options(${name} PRIVATE ${CONVOY_PCH_FLAGS})
    target_precompile_headers(${name} REUSE_FROM convoy_torch_test_pch)
  endif()
  if(NOT arg_RANKS)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    if(NOT arg_LABELS)
      add_dependencies(unit_tests ${name})
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
                         ENVIRONMENT "${CONVOY_TEST_ENVIRONMENT}")
    return()
  endif()
  if(NOT CONVOY_WITH_MPI)
    return()
  endif()
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/mpi_main.cpp)
  target_link_libraries(${name} PRIVATE convoy::comm)
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${name}.ranks${ranks}
             COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe --bind-to none
                     --mca mpi_yield_when_idle 1 -n ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.ranks${ranks} PROPERTIES TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
      LABELS "mpi;${arg_LABELS}"
      ENVIRONMENT "CONVOY_TEST_RANKS=${ranks};OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1;${CONVOY_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

# Fails when a test file lies below `folder` that no convoy_add_test() names.
function(convoy_check_all_tests_listed folder)
  get_property(listed GLOBAL PROPERTY CONVOY_TEST_FILES)
  file(GLOB_RECURSE present CONFIGURE_DEPENDS ${folder}/*_test.cpp)
  foreach(file IN LISTS present)
    if(NOT file IN_LIST listed)
      message(FATAL_ERROR "${file} is in no convoy_add_test(): list it, or delete it")
    endif()
  endforeach()
endfunction()
