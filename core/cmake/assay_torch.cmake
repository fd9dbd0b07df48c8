# assay_torch: headers and two libraries of the LibTorch wheel in ASSAY_TORCH_DIR. find_package(Torch) would ask for a CUDA
# toolkit and link all of it. For assay's own build and, installed, for plugins outside of it.
include_guard(GLOBAL)

if(NOT EXISTS "${ASSAY_TORCH_DIR}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch at ${ASSAY_TORCH_DIR}. Run assay's scripts/setup, or give -DASSAY_TORCH_DIR=<folder of torch>.")
endif()
file(STRINGS "${ASSAY_TORCH_DIR}/version.py" ASSAY_TORCH_VERSION REGEX "^__version__ = ")
string(REGEX REPLACE ".*'([0-9.]+).*" "\\1" ASSAY_TORCH_VERSION "${ASSAY_TORCH_VERSION}")
add_library(assay_torch INTERFACE)
target_include_directories(assay_torch SYSTEM INTERFACE "${ASSAY_TORCH_DIR}/include" "${ASSAY_TORCH_DIR}/include/torch/csrc/api/include")
# Without it a header that only wants operators pulls in every function of ATen.
target_compile_definitions(assay_torch INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(assay_torch INTERFACE "${ASSAY_TORCH_DIR}/lib/libtorch_cpu.so" "${ASSAY_TORCH_DIR}/lib/libc10.so")
