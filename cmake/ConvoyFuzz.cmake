# SPDX-License-Identifier: Apache-2.0
# Targets of libFuzzer. It comes with clang only; everything else may be built by another compiler, so
# what is fuzzed is compiled once more, with clang and sanitizers.

# Fuzz targets have their own sanitizers.
set(CONVOY_FUZZ OFF)
if(NOT CONVOY_SANITIZE)
  find_program(CONVOY_CLANG NAMES clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15
                                  clang++-14)
  set(CONVOY_FUZZ_FLAGS -std=c++20 -O1 -g1 -ffp-contract=off -fno-sanitize-recover=all
                        -fsanitize=fuzzer,address,undefined)
  if(CONVOY_CLANG)
    execute_process(
      COMMAND ${CONVOY_CLANG} ${CONVOY_FUZZ_FLAGS} ${PROJECT_SOURCE_DIR}/cmake/smallest_fuzzer.cpp
              -o ${PROJECT_BINARY_DIR}/smallest_fuzzer
      RESULT_VARIABLE clang_result ERROR_VARIABLE clang_error OUTPUT_QUIET)
  endif()
  if(CONVOY_CLANG AND clang_result EQUAL 0)
    set(CONVOY_FUZZ ON)
  else()
    message(WARNING "Nothing is fuzzed: this needs clang++ with libFuzzer "
                    "(Debian: clang and libclang-rt-dev). ${clang_error}")
  endif()
endif()

# Compiles `source` into an object file, whose path it appends to the list `objects`. What follows
# are folders of foreign or generated headers.
function(convoy_add_fuzz_object source objects)
  set(definitions "$<TARGET_PROPERTY:spdlog::spdlog,INTERFACE_COMPILE_DEFINITIONS>")
  if(source MATCHES "^${PROJECT_BINARY_DIR}/")
    file(RELATIVE_PATH name ${PROJECT_BINARY_DIR} ${source})
  else()
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
  endif()
  string(REPLACE "/" "." name ${name})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  # Naming the compiler's own folders would change their order.
  set(includes ${ARGN})
  list(REMOVE_ITEM includes ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
  list(TRANSFORM includes PREPEND -isystem)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${CONVOY_CLANG} ${CONVOY_FUZZ_FLAGS}
            -I${PROJECT_SOURCE_DIR} ${includes}
            "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>"
            -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Compiling ${name} for fuzzing")
  set(${objects} ${${objects}} ${object} PARENT_SCOPE)
endfunction()

# convoy_add_fuzz_target(name OBJECTS a.o ... LIBS ... [CORPUS folder] [RUNS n])
# The program fuzz_NAME, and a test that gives it a fixed number of inputs, those of CORPUS first;
# `./run fuzz SECONDS` goes on for longer.
function(convoy_add_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS;RUNS" "OBJECTS;LIBS")
  if(NOT arg_RUNS)
    set(arg_RUNS 20000)
  endif()
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/fuzz_${name})
  add_custom_command(OUTPUT ${program}
    COMMAND ${CONVOY_CLANG} ${CONVOY_FUZZ_FLAGS} ${arg_OBJECTS} ${arg_LIBS} -o ${program}
    DEPENDS ${arg_OBJECTS} VERBATIM COMMENT "Linking fuzz_${name}")
  add_custom_target(fuzz_${name} ALL DEPENDS ${program})
  # What libFuzzer finds goes into the first folder, which is not the corpus of the repository.
  set(folders)
  if(arg_CORPUS)
    set(found ${CMAKE_CURRENT_BINARY_DIR}/found_${name})
    file(REMOVE_RECURSE ${found})
    file(MAKE_DIRECTORY ${found})
    set(folders ${found} ${arg_CORPUS})
  endif()
  add_test(NAME fuzz.${name}
           COMMAND ${program} -runs=${arg_RUNS} -seed=1 -max_len=2048 -verbosity=0 ${folders})
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()
