#!/usr/bin/env bash
# Checks that the same sources give the same code in every folder: copies the tree to a folder of another name and
# length, compiles one unit of each library and a whole plugin there, and compares the bytes with those of this build.
# Build ids are hashes of such bytes, so records of two clones have the same build id.
#
# Usage: tests/reproducible.sh SOURCE BUILD TORCH
set -euo pipefail
source_dir=$1 build=$2 torch=$3
deps="$(sed -n 's/^ASSAY_DEPS:[A-Z]*=//p' "$build/CMakeCache.txt")"
objects=(kernels/CMakeFiles/assay_kernels.dir/gelu/cpu.cpp.o
  core/CMakeFiles/assay_lab_hot.dir/Unity/unity_base_0_cxx.cxx.o
  core/CMakeFiles/assay_run.dir/Unity/unity_data_0_cxx.cxx.o
  plugins/positional/alibi/CMakeFiles/plugin_alibi.dir/alibi.cpp.o)

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
copy="$folder/a clone of another name/tree"
mkdir -p "$copy"
for part in CMakeLists.txt README.md core kernels plugins scripts; do cp -r "$source_dir/$part" "$copy/"; done
cmake -S "$copy" -B "$copy/.build" -G Ninja -DASSAY_TESTS=OFF "-DASSAY_TORCH_DIR=$torch" "-DASSAY_DEPS=$deps" >"$folder/cmake.log" ||
  { cat "$folder/cmake.log"; exit 1; }

# Runs only the command that makes a file: the other libraries that it needs are taken from this build.
make_only() {
  local command
  command="$(ninja -C "$copy/.build" -t commands "$1" | tail -n 1)"
  (cd "$copy/.build" && mkdir -p "$(dirname "$1")" && bash -c "$command")
}
differ=0
compare() {
  if cmp "$copy/.build/$1" "$build/$1"; then
    echo "the same bytes: $1"
  else
    differ=1
  fi
}
# Functions of precompiled headers keep the optimisation with which they were compiled, so the units need these headers, too.
for headers in assay_text_headers assay_torch_headers; do make_only "core/CMakeFiles/$headers.dir/cmake_pch.hxx.gch"; done
for object in "${objects[@]}"; do
  make_only "$object"
  compare "$object"
done
mkdir -p "$copy/.build/lib"
for library in "$build"/lib/*.so*; do ln -s "$library" "$copy/.build/lib/"; done
plugin="$(ninja -C "$copy/.build" -t targets all | sed -n 's/^\(.*alibi\.so\): .*/\1/p' | head -n 1)"
make_only "$plugin"
compare "$plugin"

# Links the library whose build id is in records there from the objects of this build (those above are the same): the
# whole library, because the paths of the libraries that it loads are part of it.
library=lib/libassay_run.so
(cd "$build" && find core kernels -name '*.o' -o -name '*.a') | while read -r object; do
  mkdir -p "$(dirname "$copy/.build/$object")"
  [[ -e "$copy/.build/$object" ]] || ln -s "$build/$object" "$copy/.build/$object"
done
rm "$copy/.build/$library"
make_only "$library"
compare "$library"
build_id() { readelf --notes "$1" | sed -n 's/^ *Build ID: //p'; }
id="$(build_id "$copy/.build/$library")"
if [[ -n "$id" && "$id" == "$(build_id "$build/$library")" ]]; then
  echo "the same build id: $id"
else
  echo "the build ids of $library differ: '$id' there, '$(build_id "$build/$library")' here"
  differ=1
fi
exit "$differ"
