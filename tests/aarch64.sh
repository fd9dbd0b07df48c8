#!/usr/bin/env bash
# The parts without LibTorch on aarch64: the lab, the kernels and their tests are cross-compiled and run under qemu-user.
#
# Usage: aarch64.sh SOURCE BUILD TORCH    Exits with 77 where it cannot run. TORCH is any LibTorch: nothing of it is linked.
set -euo pipefail
source_folder="$1" torch="$3"
[[ -n "${ASSAY_SLOW_TESTS:-}" ]] || { echo "it takes half an hour; scripts/test --slow runs it"; exit 77; }
[[ "$(id -u)" == 0 ]] || { echo "only root can install a cross-compiler and unpack a system"; exit 77; }
command -v apt-get >/dev/null || { echo "apt-get, which fetches a cross-compiler, is not installed"; exit 77; }
"$source_folder/scripts/lib/debian_packages" debootstrap g++-aarch64-linux-gnu qemu-user-static
# shellcheck source=scripts/lib/common.sh
source "$source_folder/scripts/lib/common.sh"

work="${ASSAY_AARCH64:-$(mktemp -d)}"
[[ -n "${ASSAY_AARCH64:-}" ]] || trap 'rm -rf "$work"' EXIT
system="$work/system" tree="$work/build"

# The libraries of an arm64 Debian: packages are unpacked and none of their programs runs.
if [[ ! -e "$system/usr/include/nlopt.h" ]]; then
  codename="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
  # shellcheck disable=SC2016  # apt-get expands it
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | grep -m 1 '/debian/*$' || true)"
  [[ -n "$mirror" ]] || { echo "the package sources of this machine do not name a mirror of Debian"; exit 77; }
  # shellcheck disable=SC2016  # dpkg-query expands it
  boost="$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'libboost1*-dev' | sed -n 's/^ii *//p' | head -n 1)"
  debootstrap --foreign --arch=arm64 --variant=minbase "--include=libfmt-dev,nlohmann-json3-dev,libtomlplusplus-dev,libssl-dev,libnlopt-dev,$boost,${boost/libboost/libboost-program-options},libgtest-dev,libgmock-dev" \
    "$codename" "$system" "$mirror" >"$work/debootstrap.log" || { cat "$work/debootstrap.log"; exit 1; }
  for package in "$system"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$system"; done
fi

cmake -S "$source_folder" -B "$tree" -G Ninja "-DASSAY_TORCH_DIR=$torch" "-DASSAY_DEPS=$deps" -DCMAKE_SYSTEM_NAME=Linux \
  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_CXX_COMPILER_TARGET=aarch64-linux-gnu \
  -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu "-DCMAKE_SYSROOT=$system" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY \
  -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON \
  -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
cmake --build "$tree" -j "$(build_jobs)" --target assay lab_tests kernel_tests

# Programs that tests start are started through qemu, too.
mkdir -p "$work/bin"
for program in assay assay-worker; do
  printf '#!/bin/sh\nexec qemu-aarch64-static -L %q %q "$@"\n' "$system" "$tree/bin/$program" >"$work/bin/$program"
  chmod +x "$work/bin/$program"
done
export ASSAY_SOURCE_DIR="$source_folder" ASSAY_BIN_DIR="$work/bin" OMP_NUM_THREADS=1
qemu-aarch64-static -L "$system" "$tree/bin/kernel_tests"
# Left out: simulations of many studies, which take minutes; what needs assay-worker, which needs LibTorch, or shared libraries; what needs a
# terminal; and how a child starts, because under qemu it is a copy of its parent that cannot report a program that is not there.
qemu-aarch64-static -L "$system" "$tree/bin/lab_tests" \
  --gtest_filter="-RunProgram*:RunControl*:PlanNote*:Process.HasItsOwnProcessGroup:Process.ReportsWhatCannotBeStarted:Capture*:ErrorRates*:WorkerTest*:Staleness.UsesTheCurrentFiles:ProgressStyle*"
