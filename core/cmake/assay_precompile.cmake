# How files compile together, for the time of a whole build.
#
# assay_precompile(TARGET GROUP...): what most files of a target include is compiled once. Only headers that are not ours:
# a change to ours would compile everything anew. Every file still includes all it uses: clang-tidy, the installed SDK and
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON compile without.
include_guard(GLOBAL)

set(assay_precompiled_std <algorithm> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <set>
    <sstream> <string> <string_view> <vector>)
set(assay_precompiled_text <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp>)
set(assay_precompiled_torch <ATen/core/Tensor.h> <ATen/TensorOperators.h> <nlohmann/json.hpp>)
set(assay_precompiled_test <gmock/gmock.h> <gtest/gtest.h>)

function(assay_precompile target)
  foreach(group std ${ARGN})
    target_precompile_headers(${target} PRIVATE ${assay_precompiled_${group}})
  endforeach()
endfunction()

# assay_precompiled_tensors(TARGET SOURCE): the headers with tensors, for a plugin that includes them anyway. Without
# optimisation they leave references to LibTorch in a plugin that does not.
function(assay_precompiled_tensors target source)
  assay_uses_tensors("${CMAKE_CURRENT_SOURCE_DIR}/${source}" uses_tensors)
  if(uses_tensors)
    target_precompile_headers(${target} REUSE_FROM assay_torch_headers)
  endif()
endfunction()

# assay_unity(TARGET): the files of a part (src/PART, unit/PART) compile as one, at most 24 at a time. Most of a compilation
# goes to templates of headers, which each file alone would make again. So the names of anonymous namespaces must be unique in a
# part. -DASSAY_UNITY=OFF compiles file by file: quicker where one file changes often.
option(ASSAY_UNITY "Compile several files at once" ON)

function(assay_unity target)
  if(NOT ASSAY_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
    file(RELATIVE_PATH path "${CMAKE_CURRENT_SOURCE_DIR}" "${path}")
    string(REGEX REPLACE "^(src|unit)/" "" part "${path}")
    string(REGEX MATCH "[a-z0-9_]+" part "${part}")
    math(EXPR in_${part} "0${in_${part}} + 1")
    math(EXPR group "(${in_${part}} - 1) / 24")
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${part}_${group}")
  endforeach()
endfunction()

# assay_compile_quickly(TARGET): little optimisation for code that is not hot, which halves the time of its compilation: -O1
# without the passes over loops, pointers and branches.
function(assay_compile_quickly target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    return()
  endif()
  set(flags -O1)
  foreach(pass tree-loop-optimize tree-pta tree-dominator-opts tree-sra tree-ter tree-ch tree-ccp tree-bit-ccp if-conversion if-conversion2
          reorder-blocks guess-branch-probability ipa-modref ipa-profile)
    list(APPEND flags -fno-${pass})
  endforeach()
  # Warnings that follow values through a function need these passes; without them they are wrong.
  foreach(warning dangling-pointer nonnull maybe-uninitialized array-bounds stringop-overflow stringop-overread restrict)
    list(APPEND flags -Wno-${warning})
  endforeach()
  # A precompiled header of -O2 is taken only if the options of the target are the same; the second sets one of them.
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    list(APPEND flags -munroll-only-small-loops -fexpensive-optimizations)
  endif()
  target_compile_options(${target} PRIVATE ${flags})
endfunction()
