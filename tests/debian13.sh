#!/usr/bin/env bash
# assay on Debian 13, in a system of its own that debootstrap makes: set-up, build, all tests, the
# quickstart's smoke, and a plugin of this system there.
#
# Usage: debian13.sh SOURCE BUILD    Exits with 77 where it cannot run. Of its environment, ASSAY_DEBIAN13 names a folder
# in which the system is kept, so that a second run only builds what has changed.
set -euo pipefail
source_folder="$1" build="$2"
[[ -n "${ASSAY_SLOW_TESTS:-}" ]] || { echo "it takes an hour; scripts/test --slow runs it"; exit 77; }
[[ "$(id -u)" == 0 ]] || { echo "only root can make a system with debootstrap"; exit 77; }
command -v apt-get >/dev/null || { echo "apt-get, which fetches debootstrap, is not installed"; exit 77; }
"$source_folder/scripts/lib/debian_packages" debootstrap
# shellcheck disable=SC2016  # apt-get expands it
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | grep -m 1 '/debian/*$' || true)"
[[ -n "$mirror" ]] || { echo "the package sources of this machine do not name a mirror of Debian"; exit 77; }

folder="${ASSAY_DEBIAN13:-$(mktemp -d)}"
system="$folder/system"
inside=/srv/tree tree="$folder/system/srv/tree" # a path that no file of the tree contains by chance
unmount() { umount --recursive "$system" 2>/dev/null || true; }
close() {
  local status=$?
  unmount
  [[ -n "${ASSAY_DEBIAN13:-}" ]] || rm -rf --one-file-system "$folder"
  exit "$status"
}
trap close EXIT

# A minimal system with a name server, and the certificates and the package index of this machine.
if [[ ! -f "$system/etc/debian_version" ]]; then
  debootstrap --variant=minbase --include=ca-certificates trixie "$system" "$mirror" >"$folder/debootstrap.log" ||
    { cat "$folder/debootstrap.log"; exit 1; }
fi
cp /etc/resolv.conf /etc/hosts "$system/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/"
if [[ -f /etc/pip.conf ]]; then cp /etc/pip.conf "$system/etc/"; fi
# A test mounts below the root, which must be a mount itself.
unmount # what a killed run of this left
mount --bind "$system" "$system"
mount -t proc proc "$system/proc"
mount --bind /dev "$system/dev"
mount --bind /dev/pts "$system/dev/pts"

# The committed tree, with the LibTorch and the corpora of this one.
if [[ -d "$tree/.git" ]]; then
  git -C "$tree" fetch --quiet "$source_folder" HEAD
  git -C "$tree" checkout --quiet FETCH_HEAD
else
  git clone --quiet "$source_folder" "$tree"
fi
[[ -d "$tree/.deps" ]] || { mkdir "$tree/.deps"; cp -a "$(dirname "$(dirname "$(realpath "$build/lib/torch")")")" "$tree/.deps/libtorch"; }
if [[ -d "$source_folder/.data" && ! -d "$tree/.data" ]]; then cp -a "$source_folder/.data" "$tree/.data"; fi
git config --file "$system/root/.gitconfig" safe.directory '*'

in_system() { chroot "$system" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
in_system bash -c "cd $inside && scripts/test"
in_system bash -c "cd $inside && .build/bin/assay run experiments/quickstart.toml --smoke"

# A plugin without tensors, built here with an older compiler, takes the place of the one that was built there.
mkdir -p "$tree/.build/older"
cp "$build/lib/assay/plugins/constant.so" "$tree/.build/older/"
in_system bash -c "cd $inside && .build/bin/assay plugins --plugin-path .build/older" | grep 'shadowed by .*older/constant.so'
