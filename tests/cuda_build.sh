#!/usr/bin/env bash
# Builds what -DASSAY_CUDA=ON changes, so that it keeps building on machines without a GPU: compiles every cuda.cu and
# links the training library and the kernel test cases. They cannot run here, because the wheel's NVIDIA libraries are
# not installed. Objects that both builds compile with the same command are linked from the CPU build where it has them:
# at present, all of the core.
#
# Usage: tests/cuda_build.sh SOURCE BUILD TORCH    BUILD: the CPU build; the CUDA build is in BUILD/cuda
#
# Exits with 77, and the reason on the last line, where the build is not possible.
set -euo pipefail
source_dir=$1 cpu=$2 torch=$3
build="$cpu/cuda"

skip() {
  echo "$1"
  exit 77
}
export PATH="$PATH:/usr/local/cuda/bin"
nvcc="$(command -v "${CUDACXX:-nvcc}")" || skip "no nvcc here; install the CUDA toolkit 13.0 to build this"
[[ -e "$torch/lib/libtorch_cuda.so" ]] || skip "the LibTorch at $torch has no CUDA"

fresh=()  # a build folder of another location (of a moved or copied clone) is configured again
if [[ -f "$build/CMakeCache.txt" ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$source_dir" "$build/CMakeCache.txt"; then
  fresh=(--fresh)
fi
cmake "${fresh[@]}" -S "$source_dir" -B "$build" -G Ninja -DASSAY_CUDA=ON "-DASSAY_TORCH_DIR=$torch" \
  "-DASSAY_DEPS=$(sed -n 's/^ASSAY_DEPS:[A-Z]*=//p' "$cpu/CMakeCache.txt")" "-DCMAKE_CUDA_COMPILER=$nvcc" \
  -DCMAKE_COMPILE_WARNING_AS_ERROR=ON

plain() { sed -E "s#$build|$cpu#BUILD#g; s# -isystem [^ ]*/cuda[^ ]*##g; s# -Werror##g"; }
targets=(kernel_bench lib/libassay_run.so)
declare -A shared=()
commands="$(ninja -C "$build" -t commands "${targets[@]}")"
there="$(ninja -C "$cpu" -t commands "${targets[@]}" | plain)"
while read -r command; do shared["$command"]=1; done <<<"$there"
cd "$build"
mkdir -p bin lib
while read -r command; do
  compiled="$(sed -nE 's/.* -o ([^ ]+)( -x [^ ]+)? -c .*/\1/p' <<<"$command")"
  [[ -z "$compiled" ]] || mkdir -p "$(dirname "$compiled")"
  if [[ -n "$compiled" && -e "$cpu/$compiled" && -n "${shared["$(plain <<<"$command")"]:-}" ]]; then
    ln -f "$cpu/$compiled" "$compiled"
  else
    echo "$command"
    bash -c "$command" </dev/null
  fi
done <<<"$commands"

needed() { readelf --dynamic "$1/lib/libassay_run.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
here="$(needed "$build")"
for library in libtorch_cuda.so libc10_cuda.so libcudart.so.13 libnccl.so.2; do
  grep -qxF "$library" <<<"$here" || { echo "the CUDA build does not load $library"; exit 1; }
done
if [[ -e "$cpu/lib/libassay_run.so" ]]; then
  there="$(needed "$cpu")"
  if grep -i cuda <<<"$there"; then
    echo "the CPU build loads CUDA libraries"
    exit 1
  fi
fi
