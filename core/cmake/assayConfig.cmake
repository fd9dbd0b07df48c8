# find_package(assay): assay_add_plugin(NAME), and the targets assay::run (what a plugin is built against) and
# assay::testing (assay/testing.h, for its tests).
get_filename_component(ASSAY_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT ASSAY_TORCH_DIR)   # else another copy of the same version
  set(ASSAY_TORCH_DIR "${ASSAY_PREFIX}/lib/libtorch/torch")
  if(NOT EXISTS "${ASSAY_TORCH_DIR}")   # a wheel, beside the one of torch
    set(ASSAY_TORCH_DIR "${ASSAY_PREFIX}/../torch")
  endif()
endif()
set(ASSAY_SDK_DIR "${ASSAY_PREFIX}/include")
set(ASSAY_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
if(TARGET assay::run)   # found before, by another part of the same project
  return()
endif()

add_library(assay_flags INTERFACE)
target_compile_options(assay_flags INTERFACE -Wall -Wextra -Wconversion)
target_link_options(assay_flags INTERFACE -Wl,--build-id=sha1)
include("${CMAKE_CURRENT_LIST_DIR}/assay_torch.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/assay_abi_tag.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/assay_add_plugin.cmake")

add_library(assay::run SHARED IMPORTED GLOBAL)
set_target_properties(assay::run PROPERTIES
  IMPORTED_LOCATION "${ASSAY_PREFIX}/lib/libassay_run.so"
  INTERFACE_INCLUDE_DIRECTORIES "${ASSAY_SDK_DIR};${ASSAY_GENERATED_DIR}"
  INTERFACE_COMPILE_FEATURES cxx_std_20
  INTERFACE_LINK_LIBRARIES assay_torch)
add_library(assay::testing STATIC IMPORTED GLOBAL)
set_target_properties(assay::testing PROPERTIES
  IMPORTED_LOCATION "${ASSAY_PREFIX}/lib/libassay_testing.a"
  INTERFACE_LINK_LIBRARIES "assay::run;${ASSAY_PREFIX}/lib/libassay_lab.so")
