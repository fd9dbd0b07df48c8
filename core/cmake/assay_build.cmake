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
set(cxx_flags -Wall -Wextra "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=." "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build")
target_compile_options(assay_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${cxx_flags}>")
target_link_options(assay_flags INTERFACE -Wl,--build-id=sha1)

# --- LibTorch: headers and two libraries of the wheel. find_package(Torch) would ask for a CUDA toolkit and link all of it.
if(NOT EXISTS "${ASSAY_TORCH_DIR}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch at ${ASSAY_TORCH_DIR}. Run scripts/setup, or give -DASSAY_TORCH_DIR=<folder of torch 2.11.0>.")
endif()
file(STRINGS "${ASSAY_TORCH_DIR}/version.py" ASSAY_TORCH_VERSION REGEX "^__version__ = ")
string(REGEX REPLACE ".*'([0-9.]+).*" "\\1" ASSAY_TORCH_VERSION "${ASSAY_TORCH_VERSION}")
if(NOT ASSAY_TORCH_VERSION STREQUAL "2.11.0")
  message(FATAL_ERROR "LibTorch at ${ASSAY_TORCH_DIR} is ${ASSAY_TORCH_VERSION}; assay is built against 2.11.0.")
endif()
add_library(assay_torch INTERFACE)
target_include_directories(assay_torch SYSTEM INTERFACE "${ASSAY_TORCH_DIR}/include" "${ASSAY_TORCH_DIR}/include/torch/csrc/api/include")
# Without it a header that only wants operators pulls in every function of ATen.
target_compile_definitions(assay_torch INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(assay_torch INTERFACE "${ASSAY_TORCH_DIR}/lib/libtorch_cpu.so" "${ASSAY_TORCH_DIR}/lib/libc10.so")

# RPATHs are relative to the file itself, so that two clones build the same bytes: bin and lib, then plugins in lib/assay.
file(RELATIVE_PATH torch_from_lib "${CMAKE_BINARY_DIR}/lib" "${ASSAY_TORCH_DIR}/lib")
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/../lib;$ORIGIN/../..;$ORIGIN/${torch_from_lib};$ORIGIN/../../${torch_from_lib}")

if(ASSAY_CUDA)
  include(assay_cuda)
endif()
include(assay_abi_tag)
