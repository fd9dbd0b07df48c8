# Shared by the scripts: where things are, how they report and time, how the tree is configured. Sourced, never run.
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

# The programs that are started see the folder the scripts mean, wherever they run.
[[ -z "${ASSAY_DATA:-}" ]] || export ASSAY_DATA="$data"
[[ -z "${ASSAY_DEPS:-}" ]] || export ASSAY_DEPS="$deps"

# need PROGRAM
need() { command -v "$1" >/dev/null || die "$1 is not installed; run scripts/setup, which installs it."; }

is_root() { [[ "$(id -u)" == 0 ]]; }

# Debian's own Python, so that a version manager in PATH does not matter; it has pip as python3-pip.
python() {
  if [[ -x /usr/bin/python3 ]]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

# has_hash FILE SHA256
has_hash() { [[ -f "$1" && "$(sha256sum <"$1")" == "$2  -" ]]; }

# need_disk FOLDER MEGABYTES PURPOSE
need_disk() {
  local free
  free="$(df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9)"
  ((free >= $2)) || die "$3 needs $2 MB in $1, $free MB are free; make room and run this again."
}

# timed PHASE COMMAND...: runs it in this shell and says how many seconds it took.
timed() {
  local phase="$1" begin="${EPOCHREALTIME/[.,]/}" took
  shift
  "$@"
  took=$(((${EPOCHREALTIME/[.,]/} - begin) / 100000))
  say "$phase took $((took / 10)).$((took % 10)) s"
}

# lock FILE: waits until no other script holds it; the lock ends with this process.
lock() {
  mkdir -p "$(dirname "$1")" || die "cannot make the folder $(dirname "$1"); check its permissions."
  exec {lock_fd}>"$1" || die "cannot write $1; check its permissions."
  flock -n "$lock_fd" || { say "waiting for another run that holds $1"; flock "$lock_fd"; }
}

# One compiler per core, but not more than memory carries: a unit that includes LibTorch takes up to 1.5 GB (GCC 12, 2026-11-24).
build_jobs() {
  local cores memory
  cores="$(nproc)"
  memory=$(($(awk '/^MemAvailable:/ {print $2}' /proc/meminfo) / 1500000))
  ((memory >= 1)) || memory=1
  echo $((cores < memory ? cores : memory))
}

# A warning is an error where the scripts build; with other compilers than Debian's it need not be. Takes further options.
configure_build() {
  local options=(-S "$root" -B "$build" -G Ninja "-DASSAY_TORCH_DIR=$torch" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON "$@")
  # A tree that was made elsewhere (a moved or copied clone) is made anew.
  if [[ -f "$build/CMakeCache.txt" ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    options+=(--fresh)
  fi
  cmake "${options[@]}"
}
