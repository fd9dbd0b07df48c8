#!/usr/bin/env bash
# Experiments on a Slurm cluster of one node, this machine, which the test starts and stops: the same records and table
# as local runs, split arrays, no run submitted twice, a failed run with its reason, and preempted runs that resume.
#
# Usage: slurm.sh BUILD. Exits with 77, saying why, where Slurm is not installed or does not start.
set -euo pipefail

build="$(realpath "$1")"
assay="$build/bin/assay"
tiny="$(realpath "$(dirname "$0")")/fixtures/tiny/tiny.toml"
work="$(mktemp -d)"
daemons=()
skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "failed: $*"
  squeue --array || true
  tail -n 20 "$work"/slurm*.log "$work"/results/*/slurm/*/*.txt 2>/dev/null || true
  exit 1
}
left_queue() { [[ -z "$(squeue --noheader)" ]]; }
clean() {
  local i
  scancel --user "$(id -un)" 2>/dev/null || true
  scancel --user "$(id -un)" --signal KILL --full 2>/dev/null || true
  for ((i = 0; i < 100; ++i)); do
    left_queue 2>/dev/null && break
    sleep 0.2
  done
  for daemon in "${daemons[@]}"; do kill "$daemon" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
# until_is WHAT COMMAND...: waits till the command succeeds, for minutes if need be.
until_is() {
  local what="$1" i
  shift
  for ((i = 0; i < 1500; ++i)); do
    if "$@"; then return; fi
    sleep 0.2
  done
  fail "waited in vain: $what"
}

export PATH="$PATH:/usr/sbin" ASSAY_RUNTIME="$work/runtime" # not to wait for cores of this user's other runs
for program in slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || skip "there is no '$program' (Debian: slurmctld, slurmd, slurm-client)"
done

# The node is configured with four cores, so that each of four ranks has one on any machine.
read -r port_a port_b < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))')
mkdir "$work/state" "$work/spool"
export SLURM_CONF="$work/slurm.conf"
cat >"$SLURM_CONF" <<CONF
ClusterName=assay
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port_a
SlurmdPort=$port_b
AuthType=auth/none
CredType=cred/none
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MaxArraySize=3
KillWait=60
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4
PartitionName=main Nodes=ALL Default=YES PriorityTier=1
PartitionName=urgent Nodes=ALL PriorityTier=2
CONF
# From version 23.11 on Slurm needs control groups unless CgroupPlugin=disabled is set.
if ! grep -q ' - cgroup' /proc/self/mountinfo && [[ "$(printf '%s\n' 23.11 "$(slurmctld -V | grep -oE '[0-9]+\.[0-9]+' | head -n 1)" | sort -V | head -n 1)" == 23.11 ]]; then
  echo "CgroupPlugin=disabled" >"$work/cgroup.conf"
fi
trap clean EXIT
slurmctld -c -D >"$work/slurmctld.out" 2>&1 &
daemons+=($!)
slurmd -N localhost -D >"$work/slurmd.out" 2>&1 &
daemons+=($!)
is_up() { [[ "$(sinfo --noheader --format=%T 2>/dev/null)" == *idle* ]]; }
for _ in {1..60}; do
  is_up && break
  sleep 0.5
done
is_up || skip "Slurm does not start here: $(tail -qn 1 "$work"/slurmctld.out "$work"/slurmd.out | tr '\n' ' ')"

mkdir "$work/experiments"
# experiment NAME STEPS MORE
experiment() {
  cat >"$work/experiments/$1.toml" <<TOML
extends = ["$tiny"]
[experiment]
seeds = [1, 2]
[model]
dropout = 0.1
[positional]
use = "alibi"
[train]
steps = $2
[[evaluate]]
use = "lm"
lengths = [16]
[compare]
metrics = ["lm.bits_per_byte@length=16", "train.loss"]
$3
TOML
}
# The files of the cluster: a setup that the script needs, and a prefix that leaves a marker.
cat >"$work/assay.local.toml" <<TOML
[launch.slurm]
partition = "main"
time = "1:00:00"
grace = 30
options = ["--comment=a test"]
setup = ["export MARK='$work/marks'"]
wrap = 'env WRAPPED="\$MARK"'
TOML
on_slurm() { (cd "$work" && ASSAY_RESULTS="$work/results" "$assay" run "experiments/$1.toml" --launcher slurm "${@:2}" 2>&1); }
on_this() { (cd "$work" && ASSAY_RESULTS="$work/local" "$assay" run "experiments/$1.toml" --jobs 2 "${@:2}" 2>&1); }
status_of() { (cd "$work" && ASSAY_RESULTS="$work/results" "$assay" status "experiments/$1.toml" 2>&1); }
says() { [[ "$("${@:2}")" == *"$1"* ]] || return 1; }
must_say() { says "$@" || fail "'${*:2}' does not say '$1' but: $("${@:2}" || true)"; }
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
# Prints the records of a results folder without their measured values.
records_equal() {
  python3 - "$work/results/$1" "$work/local/$1" <<'PYTHON' || fail "records of $1 differ"
import json, pathlib, sys
def records(folder):
    files = [f for f in pathlib.Path(folder).glob("runs/*/**/*.json") if f.name == "train.json" or f.parent.name == "eval"]
    found = {}
    for file in files:
        record = json.loads(file.read_text())
        del record["measured"]
        found[str(file.relative_to(folder))] = record
    return found
slurm, local = (records(folder) for folder in sys.argv[1:])
assert slurm and slurm.keys() == local.keys(), (slurm.keys(), local.keys())
for name in slurm:
    assert slurm[name] == local[name], name
PYTHON
}

echo "== six runs, of which two cannot end well: arrays of three, the same records and table as local"
experiment many 6 '[[sweep]]
[sweep.grid]
optimizer.lr = [1e-3, 1e-2, 1e30]'
must_say "6 of 6 runs would be submitted to Slurm in 2 job arrays" on_slurm many --dry-run
[[ ! -e "$work/results/many" ]] || fail "a dry run wrote something"
scontrol update PartitionName=main State=DOWN # so that the jobs stay in the queue
must_say "6 of 6 runs submitted to Slurm in 2 job arrays" on_slurm many
must_say "many: 0 done, 0 running, 0 failed, 6 queued (6 on Slurm)" status_of many
must_say "0 of 6 runs submitted to Slurm in 0 job arrays, 6 already on Slurm" on_slurm many
[[ "$(squeue --noheader --array | wc -l)" == 6 ]] || fail "not six tasks in the queue"
scontrol update PartitionName=main State=UP
until_is "six runs to end" left_queue
must_say "many: 4 done, 0 running, 2 failed, 0 queued" status_of many
must_say "optimizer.lr=1e+30 seed=1: step" status_of many
if on_this many >"$work/many.txt"; then fail "locally all went well: $(<"$work/many.txt")"; fi
records_equal many
for results in results local; do
  (cd "$work" && ASSAY_RESULTS="$work/$results" "$assay" compare experiments/many.toml --format csv) | python3 -c '
import csv, sys
measured = ("train.seconds", "train.tokens_per_second", "train.peak_memory")
for row in csv.DictReader(line for line in sys.stdin if line[0] != "#"):
    print({name: cell for name, cell in row.items() if not name.startswith(measured)})' >"$work/$results.csv"
done
[[ "$(wc -l <"$work/local.csv")" == 3 ]] || fail "not three rows: $(<"$work/local.csv")"
same "$work/results.csv" "$work/local.csv"
must_say "2 of 6 runs submitted to Slurm in 1 job array, 4 already complete" on_slurm many
until_is "two runs to fail once more" left_queue

echo "== runs that share steps: an array of trunks, then one of their branches, and the same records as runs alone"
experiment ladder 20 '[scheduler]
use = "wsd"
warmup = "2 steps"
decay = "25%"
[[sweep]]
[sweep.grid]
train.steps = [12, 20]'
must_say "2 runs continue another one" on_slurm ladder
until_is "trunks and branches to end" left_queue
must_say "ladder: 4 done" status_of ladder
on_this ladder experiment.share_trunks=false >"$work/ladder.txt" || fail "locally it ended ill: $(<"$work/ladder.txt")"
records_equal ladder
[[ "$(grep -l '"trunk"' "$work"/results/ladder/runs/*/train.json | wc -l)" == 2 ]] || fail "not two records name a trunk"
if grep -l '"trunk"' "$work"/local/ladder/runs/*/train.json; then fail "a run alone names a trunk"; fi

echo "== a run that is told to save, and then preempted, ends with the bytes of one that was left alone"
experiment long 1000 ''
sed -i 's/^seeds = .*/seeds = [1]/; s/^\[train\]/[train]\ncheckpoint = "2%"/' "$work/experiments/long.toml"
must_say "1 of 1 run submitted to Slurm" on_slurm long
run_of() { # the run id of an experiment with one run
  local id
  id="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["runs"][0])' "$work/results/$1"/slurm/*/job.json)"
  echo "$work/results/$1/runs/$id"
}
run="$(run_of long)"
events() { cat "$run/events.jsonl" 2>/dev/null || true; }
attempt_is_under_way() { [[ "$(events)" == *"\"attempt\":$1,\"type\":\"step\""* && -n "$(ls "$run/checkpoint" 2>/dev/null)" ]]; }
# The worker is suspended while the signal is sent, so that it cannot finish first.
hold() {
  worker="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "$run/state.json")"
  kill -STOP "$worker"
}
is_told() { # SIGUSR2 or SIGTERM is pending, or the process is gone
  local pending
  pending="$(sed -n 's/^ShdPnd:\s*//p' "/proc/$worker/status" 2>/dev/null)" || return 0
  (((0x${pending:-4000} & 0x4800) != 0))
}
let_go() {
  until_is "the worker to be told" is_told
  kill -CONT "$worker" 2>/dev/null || true
}
requeued() { [[ "$(squeue --noheader --partition=main --format=%T)" == PENDING ]]; }
# Not at once: slurmd refuses a task that starts within the second in which it ended the attempt before.
start_now() { sleep 3; squeue --noheader --array --format=%i --partition=main | xargs -I{} scontrol update JobId={} StartTime=now; }
until_is "the first attempt" attempt_is_under_way 1
must_say "long: 0 done, 1 running, 0 failed, 0 queued" status_of long
task="$(squeue --noheader --array --format=%i)"
hold
scancel --batch --signal TERM "$task" # as at the end of the time limit
let_go
until_is "the task to be queued again" requeued
must_say "long: 0 done, 0 running, 0 failed, 1 queued (1 on Slurm)" status_of long
must_say "0 of 1 run submitted to Slurm in 0 job arrays, 1 already on Slurm" on_slurm long
start_now
until_is "the second attempt" attempt_is_under_way 2
hold
sbatch --quiet --partition=urgent --ntasks=4 --output=/dev/null --wrap true
let_go
until_is "the task to be queued again" requeued
start_now
until_is "the third attempt's end" left_queue
must_say "long: 1 done, 0 running, 0 failed, 0 queued" status_of long
on_this long >"$work/long.txt" || fail "locally it ended ill: $(<"$work/long.txt")"
records_equal long
same "$run/weights.safetensors" "$work/local/long/runs/$(basename "$run")/weights.safetensors"
python3 - "$run/events.jsonl" <<'PYTHON' || fail "attempts did not go on from where the ones before stopped"
import json, sys
starts = [event for event in map(json.loads, open(sys.argv[1])) if event["type"] == "start"]
assert [start["attempt"] for start in starts] == [1, 2, 3], starts
steps = [start.get("from", 0) for start in starts]
assert 0 == steps[0] < steps[1] < steps[2], steps
PYTHON

echo "== one that is stopped is cancelled, and goes on when it is wanted again; one that scancel ends there, too"
experiment gone 100000 ''
sed -i 's/^seeds = .*/seeds = [1]/; s/^\[train\]/[train]\ncheckpoint = "0.1%"/' "$work/experiments/gone.toml"
must_say "1 of 1 run submitted to Slurm" on_slurm gone
run="$(run_of gone)"
until_is "it to step" attempt_is_under_way 1 # Slurm reports it as running before its program starts
must_say "gone: 0 done, 1 running" status_of gone
stop_gone() { (cd "$work" && ASSAY_RESULTS="$work/results" "$assay" stop experiments/gone.toml 2>&1); }
must_say "Cancelled 1 run on Slurm." stop_gone
until_is "it to leave" left_queue
must_say "gone: 0 done, 0 running, 0 failed, 0 queued, 1 cancelled" status_of gone
must_say "1 of 1 run submitted to Slurm" on_slurm gone
until_is "it to go on" attempt_is_under_way 2
scancel "$(squeue --noheader --array --format=%i)"
until_is "it to leave" left_queue
must_say "gone: 0 done, 0 running, 0 failed, 0 queued, 1 cancelled" status_of gone

echo "== one that is cancelled before it begins is cancelled, and no file that is not there is named"
experiment never 6 ''
sed -i 's/^seeds = .*/seeds = [1]/' "$work/experiments/never.toml"
scontrol update PartitionName=main State=DOWN
must_say "1 of 1 run submitted to Slurm" on_slurm never
scancel "$(squeue --noheader --array --format=%i)"
until_is "it to leave" left_queue
scontrol update PartitionName=main State=UP
must_say "never: 0 done, 0 running, 0 failed, 0 queued, 1 cancelled" status_of never
must_say "seed=1: left Slurm's queue before it started" status_of never
if says ".txt" status_of never; then fail "a file that is not there is named: $(status_of never)"; fi

if [[ -f "$build/lib/libassay_mpi.so" ]] && command -v mpirun >/dev/null; then
  echo "== four processes under srun give the bits of four threads"
  experiment ranks 6 '[resources]
mesh = { tensor = 2, data = 2 }'
  sed -i 's/^seeds = .*/seeds = [1]/' "$work/experiments/ranks.toml"
  must_say "submitted  1 run of 4 processes with 1 core each" on_slurm ranks 'resources.mesh.backend="mpi"'
  until_is "four processes to end" left_queue
  must_say "ranks: 1 done" status_of ranks
  on_this ranks >"$work/ranks.txt" || fail "locally it ended ill: $(<"$work/ranks.txt")"
  same "$work"/results/ranks/runs/*/weights.safetensors "$work"/local/ranks/runs/*/weights.safetensors
fi
echo "Slurm gives what this machine gives"
