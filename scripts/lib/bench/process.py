"""Runs a program, seen from outside: seconds to its first step and to its end, peak memory of its processes."""

import dataclasses
import os
import pathlib
import subprocess
import time

FIRST_STEP_TICK = 0.01
MEMORY_TICK = 0.2


@dataclasses.dataclass
class Watched:
    seconds: float
    first_step_seconds: float  # None when no step was seen
    peak_bytes: int
    output: str


def status_bytes(pid, key):
    """A line such as 'VmRSS: 12 kB' of /proc; 0 for a process that is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def tree(pid):
    """The process and all that it started, as far as they live."""
    pids = [pid]
    for parent in pids:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                children = pathlib.Path(f"/proc/{parent}/task/{task}/children").read_text(encoding="utf-8")
                pids += [int(child) for child in children.split()]
        except OSError:
            continue  # ended since it was listed
    return pids


def resident_bytes(pid):
    """Summed over the tree: pages that processes share count in each. At least the kernel's own peak of any one."""
    pids = tree(pid)
    return max(sum(status_bytes(each, "VmRSS") for each in pids), max(status_bytes(each, "VmHWM") for each in pids))


def watch(command, environment, log, has_stepped=lambda: False):
    """has_stepped() is asked until it says True. Raises RuntimeError with the end of the log when the program fails."""
    begin = time.monotonic()
    first_step, peak, next_look = None, 0, begin
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                now = time.monotonic()
                if first_step is None and has_stepped():
                    first_step = now - begin
                if now >= next_look:
                    peak, next_look = max(peak, resident_bytes(process.pid)), now + MEMORY_TICK
                time.sleep(FIRST_STEP_TICK)
        finally:
            process.kill()
            process.wait()
    seconds = time.monotonic() - begin
    text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0:
        tail = "\n".join(text.splitlines()[-15:])
        told = f"ended with status {process.returncode}; its last lines:\n{tail}"
        raise RuntimeError(f"{' '.join(command)[:300]}\n{told}")
    return Watched(seconds, first_step, peak, text)
