#!/usr/bin/env bash
# A run over two hosts, which are network namespaces of this machine with a host name and an address each: mpirun starts
# two ranks on each through an agent that enters the namespace as ssh would enter a host. The weights are those of four
# threads.
#
# Usage: hosts.sh BUILD. Exits with 77, saying why, where namespaces are not allowed.
set -euo pipefail

build="$1"
tiny="$(realpath "$(dirname "$0")")/fixtures/tiny/tiny.toml"
work="$(mktemp -d)"
hosts=("assay-a-$$" "assay-b-$$")
network=10.213.77
skip() {
  echo "skipped: $*"
  exit 77
}
clean() {
  for host in "${hosts[@]}"; do ip netns delete "$host" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean EXIT

if ! command -v mpirun >/dev/null || ! [[ -f "$build/lib/libassay_mpi.so" ]]; then skip "this build has no MPI"; fi
[[ -x "$(command -v ip)" ]] || skip "there is no 'ip' (Debian: iproute2)"
for host in "${hosts[@]}"; do
  ip netns add "$host" 2>/dev/null || skip "no network namespaces may be made here"
done
ip link add veth-a netns "${hosts[0]}" type veth peer name veth-b netns "${hosts[1]}" 2>/dev/null ||
  skip "no virtual network may be made here"
for i in 0 1; do
  device="veth-$([[ $i == 0 ]] && echo a || echo b)"
  ip -n "${hosts[$i]}" addr add "$network.$((i + 1))/24" dev "$device"
  ip -n "${hosts[$i]}" link set "$device" up
  ip -n "${hosts[$i]}" link set lo up
done

# enter HOST COMMAND...: as ssh does, with the host's own name.
cat >"$work/enter" <<EOF
#!/bin/sh
echo "\$1" >>"$work/entered"
case "\$1" in $network.1) name=${hosts[0]} ;; $network.2) name=${hosts[1]} ;; *) echo "no host \$1" >&2; exit 1 ;; esac
shift
exec ip netns exec "\$name" unshare --uts sh -c "hostname \$name; \$*"
EOF
chmod +x "$work/enter"

cat >"$work/hosts.toml" <<EOF
extends = ["$tiny"]
[model]
layers = 2
dropout = 0.1
[positional]
use = "alibi"
[train]
steps = 8
batch = 8
[resources]
mesh = { tensor = 2, data = 2 }
EOF
run() { ASSAY_RESULTS="$work/$1" "$work/enter" "$network.1" "$build/bin/assay" run "$work/hosts.toml" "${@:2}"; }
run threads
run hosts "'resources.mesh.backend=\"mpi\"'" "'resources.mesh.check_calls=true'" \
  "'resources.mesh.mpirun=[\"--host\",\"$network.1:2,$network.2:2\",\"--mca\",\"plm_rsh_agent\",\"$work/enter\",\"--mca\",\"btl\",\"tcp,self\",\"--mca\",\"btl_tcp_if_include\",\"$network.0/24\",\"--mca\",\"oob_tcp_if_include\",\"$network.0/24\"]'"
for i in 1 2; do
  grep -qxF "$network.$i" "$work/entered" || { echo "mpirun started nothing on $network.$i"; exit 1; }
done
cmp "$work"/threads/hosts/runs/*/weights.safetensors "$work"/hosts/hosts/runs/*/weights.safetensors
echo "two hosts give the bits of four threads"
