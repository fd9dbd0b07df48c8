# assay_precompile(TARGET GROUP...): what most files of a target include is compiled once: a third to two thirds of its
# build time. Only headers that are not ours: a change to ours would compile everything anew. Every file still includes all
# it uses: clang-tidy, the installed SDK and -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON compile without.
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
