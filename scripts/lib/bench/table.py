"""Turns the measurements of scripts/bench into tables: medians over the repetitions, and ratios of assay to each peer."""

import csv
import io
import statistics

TRAINING_HEADER = ("size", "positions", "system", "setting", "tokens/s", "lowest", "highest", "assay / this",
                   "% of GEMM peak", "first step s, cold", "first step s, again", "this / assay (cold)", "peak MiB",
                   "this / assay (MiB)", "loss")
SWEEP_HEADER = ("sweep", "seconds", "this / assay", "wall / training")


def median(rows, key):
    values = [row[key] for row in rows if row.get(key) is not None]
    return statistics.median(values) if values else None


def ratio(above, below):
    return above / below if above is not None and below else None


def number(value, digits):
    return "n/a" if value is None else f"{value:.{digits}f}"


def summary(rows):
    """Summarises one system at one case; the first repetition starts without caches, the later ones with them."""
    rates = [row["tokens_per_second"] for row in rows]
    return {
        "setting": rows[0]["setting"],
        "rate": statistics.median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "cold": median([row for row in rows if row["repetition"] == 0], "first_step_seconds"),
        "again": median([row for row in rows if row["repetition"] > 0], "first_step_seconds"),
        "peak": median(rows, "peak_bytes"),
        "loss": median(rows, "loss"),
        "flops_per_token": rows[0]["flops_per_token"],
    }


def grouped(rows, *keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def training_table(rows, gemm_peak):
    table = []
    summaries = {place: summary(group) for place, group in grouped(rows, "size", "positions", "system").items()}
    for (size, positions, system), this in summaries.items():
        assay = summaries.get((size, positions, "assay"), {})
        share = ratio(this["rate"] * this["flops_per_token"], gemm_peak)
        table.append((size, positions, system, this["setting"], number(this["rate"], 0), number(this["lowest"], 0),
                      number(this["highest"], 0), number(ratio(assay.get("rate"), this["rate"]), 2),
                      number(share and 100 * share, 1), number(this["cold"], 2), number(this["again"], 2),
                      number(ratio(this["cold"], assay.get("cold")), 1), number(this["peak"] / 2**20, 0),
                      number(ratio(this["peak"], assay.get("peak")), 2), number(this["loss"], 4)))
    return table


def sweep_table(rows, assay):
    """assay: the name of assay's way."""
    groups = {way: group for (way,), group in grouped(rows, "way").items()}
    medians = {way: median(group, "seconds") for way, group in groups.items()}
    return [(way, number(seconds, 1), number(ratio(seconds, medians.get(assay)), 2),
             number(ratio(seconds, median(groups[way], "training_seconds")), 2)) for way, seconds in medians.items()]


def loss_warnings(rows, tolerance=0.05):
    """Yields a warning per system whose loss differs from assay's: it may not do the same work."""
    losses = {place: median(group, "loss") for place, group in grouped(rows, "size", "positions", "system").items()}
    for (size, positions, system), loss in losses.items():
        assay = losses.get((size, positions, "assay"))
        if assay is not None and abs(loss - assay) > tolerance * assay:
            yield (f"{size} {positions}: the loss of {system} is {loss:.4f}, but that of assay is {assay:.4f}; check that both"
                   " do the same work")


def markdown(header, table):
    """Returns the table as Markdown, with numbers aligned right and words aligned left."""
    words = [any(c.isalpha() for c in cell) and cell != "n/a" for cell in table[0]]
    rows = [header, [":--" if is_words else "--:" for is_words in words], *table]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def comma_separated(*parts):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for header, table in parts:
        if table:
            writer.writerow(header)
            writer.writerows(table)
    return out.getvalue()
