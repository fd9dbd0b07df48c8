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

# assay_unity(TARGET): the files of a folder compile as one, eight at a time. Most of a compilation goes to templates of
# headers, which each file alone would make again. So an anonymous namespace's names are unique in a
# folder. -DASSAY_UNITY=OFF compiles file by file: quicker where one file changes often.
option(ASSAY_UNITY "Compile several files at once" ON)

function(assay_unity target)
  if(NOT ASSAY_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    math(EXPR in_${name} "0${in_${name}} + 1")
    math(EXPR group "(${in_${name}} - 1) / 8")
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${name}_${group}")
  endforeach()
endfunction()
