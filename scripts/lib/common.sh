# What the scripts share: paths, messages, timing, locks, and how the tree is configured. Scripts source this file.
# shellcheck shell=bash
export LC_ALL=C.UTF-8

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
deps="$(realpath -ms "${ASSAY_DEPS:-$root/.deps}")"
# shellcheck disable=SC2034  # read by the scripts that source this file
data="$(realpath -ms "${ASSAY_DATA:-$root/.data}")"
build="$root/.build"
torch="$deps/libtorch/torch"
script="$(basename "$0")"

say() { printf '%s: %s\n' "$script" "$*"; }
die() {
  printf '%s: error: %s\n' "$script" "$*" >&2
  exit 1
}

usage() {
  printf '%s: error: %s\n' "$script" "$*" >&2
  exit 2
}

# Programs that the scripts start get absolute paths, whatever folder they run in.
[[ -z "${ASSAY_DATA:-}" ]] || export ASSAY_DATA="$data"
[[ -z "${ASSAY_DEPS:-}" ]] || export ASSAY_DEPS="$deps"

# need PROGRAM: exits with an error if it is not installed.
need() { command -v "$1" >/dev/null || die "$1 is not installed; run scripts/setup, which installs it."; }

is_root() { [[ "$(id -u)" == 0 ]]; }

# Runs Debian's Python, whatever a version manager puts into PATH; python3-pip gives it pip.
python() {
  if [[ -x /usr/bin/python3 ]]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

# has_hash FILE SHA256: whether the file exists and has this hash.
has_hash() { [[ -f "$1" && "$(sha256sum <"$1")" == "$2  -" ]]; }

# need_disk FOLDER MEGABYTES PURPOSE: exits with an error if less is free.
need_disk() {
  local free
  free="$(df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9)"
  ((free >= $2)) || die "$3 needs $2 MB in $1, but $free MB are free; free some disk space and run this again."
}

# timed PHASE COMMAND...: runs the command in this shell and prints how many seconds it took.
timed() {
  local phase="$1" begin="${EPOCHREALTIME/[.,]/}" took
  shift
  "$@"
  took=$(((${EPOCHREALTIME/[.,]/} - begin) / 100000))
  say "$phase took $((took / 10)).$((took % 10)) s"
}

# lock FILE: waits until no other script holds the lock; the end of this process releases it.
lock() {
  mkdir -p "$(dirname "$1")" || die "cannot create the folder $(dirname "$1"); check its permissions."
  exec {lock_fd}>"$1" || die "cannot write $1; check its permissions."
  flock -n "$lock_fd" || { say "waiting for another process that holds the lock $1"; flock "$lock_fd"; }
}

# Prints the number of parallel compilers: one per core, but no more than memory allows, since a translation unit that
# includes LibTorch takes up to 2 GB (GCC 12, 2026-11-30).
build_jobs() {
  local cores memory
  cores="$(nproc)"
  memory=$(($(awk '/^MemAvailable:/ {print $2}' /proc/meminfo) / 2000000))
  ((memory >= 1)) || memory=1
  echo $((cores < memory ? cores : memory))
}

# configure_build [OPTION...]: configures .build. Warnings are errors in the scripts' builds; the default of CMakeLists.txt
# leaves them warnings, for compilers other than Debian's.
configure_build() {
  local options=(-S "$root" -B "$build" -G Ninja "-DASSAY_TORCH_DIR=$torch" "-DASSAY_DEPS=$deps" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON "$@")
  # A build tree that was configured at another path (in a moved or copied clone) is configured from scratch.
  if [[ -f "$build/CMakeCache.txt" ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    options+=(--fresh)
  fi
  cmake "${options[@]}"
}
