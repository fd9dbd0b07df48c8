# Compiler settings, the two imported LibTorch targets, and the ABI tag that core and plugins both compile in.
include_guard(GLOBAL)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)   # for scripts/check --tidy
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
# Build and installed tree have one shape, so that programs find libraries and plugins by relative paths alone.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(ASSAY_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/assay/plugins")

add_library(assay_flags INTERFACE)
# Two clones compile the same bytes: messages of LibTorch's headers, too, name no folder of this machine.
file(REAL_PATH "${ASSAY_TORCH_DIR}" torch_real)
set(cxx_flags -Wall -Wextra "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=." "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build"
    "-ffile-prefix-map=${ASSAY_TORCH_DIR}=torch" "-ffile-prefix-map=${torch_real}=torch")
target_compile_options(assay_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${cxx_flags};-Wconversion>")
target_link_options(assay_flags INTERFACE -Wl,--build-id=sha1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")   # GCC collects its garbage less often: a tenth of the time for up to 1 GB more memory
  target_compile_options(assay_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:--param ggc-min-expand=1000 --param ggc-min-heapsize=1000000>")
endif()

include(assay_torch)
file(STRINGS "${CMAKE_SOURCE_DIR}/scripts/lib/libtorch_versions" tested_versions REGEX "^[0-9].* torch==")
list(TRANSFORM tested_versions REPLACE " .*" "")
if(NOT ASSAY_TORCH_VERSION IN_LIST tested_versions)
  list(JOIN tested_versions ", " tested_versions)
  message(WARNING "LibTorch at ${ASSAY_TORCH_DIR} is ${ASSAY_TORCH_VERSION}; assay is tested with ${tested_versions}.")
endif()

# RPATHs are relative to the file itself, so that two clones build the same bytes and an installed tree is the same again:
# bin and lib, then plugins in lib/assay. lib/torch is a link to LibTorch's own lib.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/torch;$ORIGIN/../lib;$ORIGIN/../lib/torch;$ORIGIN/../..;$ORIGIN/../../torch;$ORIGIN/../../torch/lib")
file(MAKE_DIRECTORY "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
file(CREATE_LINK "${ASSAY_TORCH_DIR}/lib" "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/torch" SYMBOLIC)

if(ASSAY_CUDA)
  include(assay_cuda)
endif()
include(assay_abi_tag)
