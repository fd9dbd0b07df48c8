#!/usr/bin/env bash
# LibTorch, linked with -Wl,--as-needed into a library that never calls it.
# Expected: the linker drops libc10.so, because no symbol of LibTorch is used.
# What happens: the library needs libc10.so at run time. The wheel's libc10.so exports std::__throw_bad_array_new_length,
#   without a symbol version. GCC emits a call of that function for every std::vector that is copied, and libc10.so comes
#   before libstdc++.so, which the compiler adds at the end. With -lstdc++ before LibTorch it is dropped.
# Versions: torch 2.15.0 (manylinux_2_28) and GCC 12.2 with binutils 2.40; torch 2.11.0 exports it, too. Platform: Debian 12,
#   x86-64.
#
# Usage: libc10_as_needed.sh. It exits with 0 if this still happens and with 1 if it has changed. It installs into a temporary
# folder and needs pip, g++, 1.8 GB of disk and a network.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python=/usr/bin/python3
[[ -x "$python" ]] || python=python3

"$python" -m pip download --quiet --no-input --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --dest "$folder" "torch==2.15.0" >&2
"$python" -m zipfile -e "$folder"/torch-*.whl "$folder/packages"
lib="$folder/packages/torch/lib"

cat >"$folder/copies.cpp" <<'CODE'
#include <vector>
std::vector<int>* copy_of(const std::vector<int>& numbers) { return new std::vector<int>(numbers); }
CODE
needs_libc10() {
  g++ -O2 -fPIC -shared "$folder/copies.cpp" -o "$folder/copies.so" -Wl,--as-needed "$@" "$lib/libc10.so"
  readelf -d "$folder/copies.so" | grep -q 'NEEDED.*libc10.so' && echo yes || echo no
}
exported="$(nm -D --defined-only "$lib/libc10.so" | grep -c '__throw_bad_array_new_length' || true)"
seen="libc10.so exports __throw_bad_array_new_length: $exported
needed as the compiler orders the libraries: $(needs_libc10)
needed with -lstdc++ before it: $(needs_libc10 -lstdc++)"
printf 'torch 2.15.0:\n%s\n' "$seen"
[[ "$seen" == "libc10.so exports __throw_bad_array_new_length: 1
needed as the compiler orders the libraries: yes
needed with -lstdc++ before it: no" ]]
