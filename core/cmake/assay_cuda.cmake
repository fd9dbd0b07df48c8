# What -DASSAY_CUDA=ON adds: nvcc for the kernels' cuda.cu, and the CUDA half of LibTorch. Links on a machine without a
# GPU; runs where torch is installed with the NVIDIA packages it needs (give its folder as ASSAY_TORCH_DIR).
include_guard(GLOBAL)

if(NOT EXISTS "${ASSAY_TORCH_DIR}/lib/libtorch_cuda.so")
  message(FATAL_ERROR "ASSAY_CUDA: the LibTorch at ${ASSAY_TORCH_DIR} has no CUDA; give -DASSAY_TORCH_DIR=<folder of a torch with CUDA>.")
endif()
set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "Compute capabilities to build kernels for")
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)   # the one that LibTorch uses, too
enable_language(CUDA)
find_package(CUDAToolkit 13.0 REQUIRED)
set(CMAKE_CUDA_STANDARD 17)   # the newest that CMake 3.25 knows for nvcc
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)

list(JOIN cxx_flags "," host_flags)
target_compile_options(assay_flags INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${host_flags}>")

foreach(name torch_cuda c10_cuda)
  add_library(assay_${name} SHARED IMPORTED)
  set_target_properties(assay_${name} PROPERTIES IMPORTED_LOCATION "${ASSAY_TORCH_DIR}/lib/lib${name}.so")
endforeach()
# Nothing of ours calls torch_cuda by name: loading it is what registers its operators. What it needs of NVIDIA's is not
# there at link time.
target_link_libraries(assay_torch INTERFACE -Wl,--no-as-needed assay_torch_cuda assay_c10_cuda CUDA::cudart)
target_link_options(assay_torch INTERFACE -Wl,--allow-shlib-undefined)
find_library(ASSAY_NCCL nccl HINTS "${CUDAToolkit_LIBRARY_DIR}" REQUIRED)
list(APPEND CMAKE_INSTALL_RPATH "$ORIGIN/torch/../../nvidia/nccl/lib")
list(APPEND CMAKE_INSTALL_RPATH "$ORIGIN/torch/../../nvidia/cu13/lib")   # the cudart of the wheels
