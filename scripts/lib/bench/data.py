"""The peers' data: the training files of a corpus of scripts/data as byte tokens, in sequences that overlap by one token."""

import json
import pathlib

import numpy
import torch

END_OF_TEXT = 256


class Sequences(torch.utils.data.Dataset):
    """Sequence i is tokens i*T .. i*T+T: T inputs and their T targets."""

    def __init__(self, folder, length):
        folder = pathlib.Path(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        parts = [numpy.array([END_OF_TEXT])]
        for entry in manifest["files"]:
            if entry["split"] == "train":
                parts += [numpy.frombuffer((folder / entry["file"]).read_bytes(), numpy.uint8).astype(numpy.int64),
                          numpy.array([END_OF_TEXT])]
        self.rows = torch.from_numpy(numpy.concatenate(parts)).unfold(0, length + 1, length)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        # The labels are shifted here, not by the model.
        return {"input_ids": self.rows[index, :-1], "labels": self.rows[index, 1:]}

    def batches(self, case):
        """Yields (inputs, targets) without end. The order is shuffled once per epoch, and the next epoch completes a partial
        batch."""
        draws = torch.Generator().manual_seed(case["seed"])
        order = torch.empty(0, dtype=torch.long)
        while True:
            while len(order) < case["batch"]:
                order = torch.cat([order, torch.randperm(len(self), generator=draws)])
            rows = self.rows[order[: case["batch"]]]
            order = order[case["batch"] :]
            yield rows[:, :-1], rows[:, 1:]
