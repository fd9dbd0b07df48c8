"""Reading a file as large as Social Chemistry 101's: the dataset norms beside pandas' default read_csv."""

import json
import os
import pathlib
import random
import statistics
import subprocess

from bench.peers import Environment, variables

PACKAGES = ("pandas==3.1.1", "numpy==2.4.6")
ROWS = 355922  # of the released file, which has 147,421,453 bytes
COLUMNS = ("area m split rot-agree rot-categorization rot-moral-foundations rot-char-targeting rot-bad rot-judgment action "
           "action-agency action-moral-judgment action-agree action-legal action-pressure action-char-involved "
           "action-hypothetical situation situation-short-id rot rot-id rot-worker-id breakdown-worker-id n-characters "
           "characters").split()
WORDS = ("share the old kite with a kind neighbor who never asked for help and always said that it is good to wait before you "
         "speak about money family work or friends you should not take what is not yours").split()


def row(number, draw):
    def text(words):
        return " ".join(draw.choices(WORDS, k=words))

    situation = f"made/{draw.choice(('confessions', 'rocstories'))}/{number // 3:06d}"
    worker = draw.randrange(1, 138)
    return ["confessions", "1", draw.choices(("train", "dev", "test"), (8, 1, 1))[0], f"{draw.randrange(5)}.0",
            draw.choice(("social-norms", "morality-ethics|social-norms", "advice")),
            draw.choice(("care-harm", "", "loyalty-betrayal|care-harm")), "char-0", "0", "it's good", text(8), "agency",
            f"{draw.randrange(-2, 3)}.0", f"{draw.randrange(5)}.0", "legal", f"{draw.randrange(-2, 3)}.0", "char-1", "explicit",
            text(14), situation, text(13), f"rot/{situation}/{draw.getrandbits(120):030X}/{worker}/{number % 3 + 1}",
            str(worker), str(draw.randrange(1, 138)), "2", "narrator|my neighbor"]


def write_file(file, rows):
    draw = random.Random(1)
    with open(file, "w", encoding="utf-8") as out:
        out.write("\t".join(COLUMNS) + "\n")
        for number in range(rows):
            out.write("\t".join(row(number, draw)) + "\n")


def run(command, **options):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout)


def measure(root, folder, quick, repetitions, say):
    subprocess.run(["cmake", "--build", root / ".build", "--target", "dataset_probe"], check=True, stdout=subprocess.DEVNULL)
    environment = Environment(pathlib.Path(os.environ["ASSAY_DEPS"]) / "bench-pandas-venv", PACKAGES)
    environment.make(say)
    file, parameters = pathlib.Path(folder) / "norms.tsv", pathlib.Path(folder) / "norms.json"
    write_file(file, ROWS // 100 if quick else ROWS)
    parameters.write_text(json.dumps({"path": {"path": str(file), "sha256": "", "name": file.name}}), encoding="utf-8")
    one_thread = {**os.environ, **variables(1, folder), "ASSAY_BIN_DIR": str(root / ".build" / "bin")}
    found = {"assay": [], "pandas": []}
    for repetition in range(repetitions):
        found["assay"].append(run([root / ".build" / "bin" / "dataset_probe", "norms", parameters], env=one_thread))
        found["pandas"].append(run(environment.program("bench.pandas_read", file), env=one_thread))
        say(f"repetition {repetition + 1}/{repetitions}: norms opened in {found['assay'][-1]['open']:.2f} CPU s,"
            f" read by pandas in {found['pandas'][-1]['open']:.2f}")
    rows = {of["documents"] for each in found.values() for of in each}
    if len(rows) != 1:
        raise RuntimeError(f"assay and pandas read different numbers of rows: {sorted(rows)}")
    return {"bytes": file.stat().st_size, "found": found}


def table(measured):
    """Returns the table as Markdown."""
    def median(system, key):
        return statistics.median(one[key] for one in measured["found"][system])

    ours = median("assay", "open")
    text = "| reader | CPU s | CPU s / assay's | peak MiB |\n| :-- | --: | --: | --: |\n"
    for system in measured["found"]:
        text += (f"| {system} | {median(system, 'open'):.2f} | {median(system, 'open') / ours:.1f} |"
                 f" {median(system, 'peak') / 2**20:.0f} |\n")
    rows = measured["found"]["assay"][0]["documents"]
    return text + (f"\n- A generated file of {rows:,} rows and {measured['bytes']:,} bytes; medians, one thread. assay checks every"
                   " cell, counts, and finds rows and splits; pandas makes its table with default options and a tab. Peaks are of"
                   f" the whole process. Reading all documents afterwards takes assay {median('assay', 'read'):.2f} CPU s.\n")
