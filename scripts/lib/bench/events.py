"""Events of a run in the format of assay's events.jsonl; the peers write them, too, and scripts/bench reads them all."""

import json
import time


class Events:
    def __init__(self, path):
        self.began = time.monotonic()
        self.file = open(path, "w", encoding="utf-8", buffering=1)

    def step(self, step, loss):
        self.write({"type": "step", "step": step, "loss": loss, "measured": {"seconds": time.monotonic() - self.began}})

    def end(self, loss):
        """loss: the mean over the last tenth of the steps, as in assay's record."""
        self.write({"type": "end", "loss": loss})

    def write(self, event):
        self.file.write(json.dumps(event) + "\n")


def read_events(path):
    """Returns the events of all complete lines; the last line may still be incomplete."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file.read().splitlines(keepends=True) if line.endswith("\n")]


def steady_tokens_per_second(events, tokens_per_step):
    """Returns the rate from the first logged step at or after a fifth of the run to its last step, without start-up and
    warm-up."""
    steps = [(event["step"], event["measured"]["seconds"]) for event in events if event["type"] == "step"]
    last, end = steps[-1]
    warm = [(step, seconds) for step, seconds in steps if step < last and step * 5 >= last]
    if not warm:
        raise ValueError(f"the run of {last} steps logged no step between a fifth of it and its end; log more often")
    step, begin = warm[0]
    return (last - step) * tokens_per_step / (end - begin)
