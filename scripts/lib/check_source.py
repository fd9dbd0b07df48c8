#!/usr/bin/env python3
"""The rules of the tree that no compiler knows, for scripts/check: what may include what, names, lengths, root entries.

Usage: check_source.py ROOT        prints "file:line: what is wrong; what to do" for each finding and, last, how many
                                   includes of core/src are outside of its table, and how many circles its units make;
                                   exit status 1 if there is a finding
"""

import os
import re
import sys

ROOT_ENTRIES = {"CMakeLists.txt", "README.md", "core", "plugins", "experiments", "kernels", "scripts", "tests", "results",
                "findings"}
IGNORED_ROOT_ENTRIES = {"assay.local.toml"}  # as .gitignore says

MAX_LINES = 400
LONG_FILES = {}  # file: why it is one idea all the same

CODE = (".cpp", ".h", ".cu")
TEXT = CODE + (".py", ".sh", ".cmake", ".toml", ".md", ".html", ".css", ".js", "CMakeLists.txt")

# Folders of core/src that the controller is made of.
LAB_FOLDERS = ["base", "record", "document", "schema", "sweep", "study", "plan", "worker", "launch", "compare", "scaling",
               "report", "cli"]

# folders; what their includes must not match; why, and what to do instead
LIBTORCH = r"<(ATen|torch|c10)/"
INCLUDE_BANS = [
    (["core/include"], r"<torch/torch\.h>|<ATen/ATen\.h>",
     "costs every plugin seconds a unit; include <ATen/core/Tensor.h> or <ATen/ops/NAME.h>"),
    (["core/include"], r"<(toml\+\+|fmt|boost|nlohmann)/", "must not cross the plugin boundary; use it in core/src"),
    ([f"core/src/{folder}" for folder in LAB_FOLDERS], LIBTORCH,
     "would take LibTorch into the controller; what needs tensors belongs to core/src/run or a plugin"),
    (["kernels"], r"<(ATen|torch|c10|boost|fmt|nlohmann|toml\+\+)/", "kernels work on raw pointers and stand alone"),
]

# Folders of core/src from the ground up, and what each may include besides itself. A folder named here means all that is
# below it, unless a longer name is here, too.
DOCUMENT = ["base", "document"]
SCHEMA = DOCUMENT + ["schema"]
SWEEP = SCHEMA + ["sweep"]
STUDY = SWEEP + ["record", "study"]
PLAN = STUDY + ["worker", "plan"]
RESULTS = ["base", "document", "sweep", "record", "study"]
RUN = ["base", "record"]
MAY_INCLUDE = {
    "base": [],
    "record": ["base"],
    "worker": ["base", "record", "schema"],
    "document": ["base"],
    "schema": DOCUMENT,
    "sweep": SCHEMA + ["record"],
    "study": SWEEP + ["record"],
    "plan": STUDY + ["worker"],
    "launch": ["base", "record", "worker", "plan", "sweep", "study"],
    "compare/statistics": ["base"],
    "compare/results": RESULTS + ["compare/statistics"],
    "compare/table": RESULTS + ["compare/statistics", "compare/results"],
    "compare/verdicts": RESULTS + ["compare/statistics", "compare/results", "compare/table"],
    "compare/formats": RESULTS + ["compare/statistics", "compare/results", "compare/table", "compare/verdicts"],
    "scaling": RESULTS + ["compare"],
    "report": ["base", "document", "record", "study", "compare", "scaling"],
    "cli": PLAN + ["launch", "compare", "scaling", "report", "cli"],
    "loader": RUN,
    "mesh": RUN,
    "nn": RUN + ["mesh"],
    "data": RUN + ["loader", "mesh", "nn"],
    "run": RUN + ["loader", "mesh", "nn", "data"],
    "check": RUN + ["loader", "mesh", "nn", "data", "run"],
    "testing": RUN + ["worker", "loader", "mesh", "nn", "data", "run", "check"],
}

# Plugins whose names the core uses in meanings of their own (a column's text, no direction, gradient norms).
COMMON_WORDS = {"text", "bytes", "code", "none", "linear", "constant", "norms"}


def files_under(root, *folders):
    for folder in folders:
        for place, names, files in os.walk(os.path.join(root, folder)):
            names[:] = sorted(name for name in names if name != "__pycache__" and not name.startswith("."))
            for file in sorted(files):
                yield os.path.relpath(os.path.join(place, file), root)


def read(root, file):
    with open(os.path.join(root, file), encoding="utf-8", errors="replace") as stream:
        return stream.read()


def line_of(text, place):
    return text.count("\n", 0, place) + 1


def includes(root, *folders):
    """(file, line, "<name>" or '"name"') of every include."""
    for file in files_under(root, *folders):
        if not file.endswith(CODE):
            continue
        text = read(root, file)
        for match in re.finditer(r'^\s*#\s*include\s*(<[^>]*>|"[^"]*")', text, re.M):
            yield file, line_of(text, match.start(1)), match.group(1)


def banned_includes(root):
    for folders, pattern, reason in INCLUDE_BANS:
        for file, line, name in includes(root, *folders):
            if re.match(pattern, name):
                yield f"{file}:{line}: includes {name}: {reason}"


def kernel_includes(root):
    """Of ours a kernel includes what lies below kernels/; so they can be read, built and moved without the rest."""
    for file, line, name in includes(root, "kernels"):
        if name.startswith('"') and not os.path.isfile(os.path.join(root, "kernels", name.strip('"'))):
            yield f"{file}:{line}: includes {name}: of ours, kernels include only what lies below kernels/, by its path there"


def without_comments(text):
    """Comments blanked, lines kept. String literals are skipped over, so that a // inside one is no comment."""
    token = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.S)
    return token.sub(lambda m: m.group() if m.group().startswith('"') else re.sub(r"[^\n]", " ", m.group()), text)


def plugins_named(root):
    """core/src knows kinds, never plugins: no "alibi", no "positional/alibi", no include of plugins/."""
    plugins = os.path.join(root, "plugins")
    names_of = {kind.name: [entry.name for entry in os.scandir(kind.path) if entry.is_dir()]
                for kind in os.scandir(plugins) if kind.is_dir()}
    kinds = sorted(kind for kind, names in names_of.items() if names)  # not plugins/shared, which holds headers alone
    names = {name for kind in kinds for name in names_of[kind]}
    if not names:
        return
    alone = "|".join(map(re.escape, sorted(names - COMMON_WORDS))) or r"(?!)"
    pattern = re.compile(rf'"(?:{alone})"|\b(?:{"|".join(kinds)})/(?:{"|".join(map(re.escape, sorted(names)))})\b|'
                         r'#include "[^"]*plugins/[^"]*"')
    for file in files_under(root, "core/src"):
        if not file.endswith(CODE):
            continue
        text = without_comments(read(root, file))
        for match in pattern.finditer(text):
            yield f"{file}:{line_of(text, match.start())}: names a plugin, {match.group()}: the core knows kinds only"


def root_entries(root):
    for name in sorted(os.listdir(root)):
        if not name.startswith(".") and name not in ROOT_ENTRIES | IGNORED_ROOT_ENTRIES:
            yield f"{name}: no entry of the root; the root holds {', '.join(sorted(ROOT_ENTRIES))} and dot-files"


def long_files(root):
    for file in files_under(root, "core", "plugins", "experiments", "kernels", "scripts", "tests"):
        is_script = file.startswith("scripts/") and "." not in os.path.basename(file)
        if not (file.endswith(TEXT) or is_script) or file in LONG_FILES:
            continue
        lines = read(root, file).count("\n")
        if lines > MAX_LINES:
            yield (f"{file}:{MAX_LINES + 1}: {lines} lines, allowed are {MAX_LINES}; one idea a file: split it, or say in "
                   "LONG_FILES of scripts/lib/check_source.py why it is one")
    for file in LONG_FILES:
        if not os.path.exists(os.path.join(root, file)):
            yield f"{file}: is in LONG_FILES of scripts/lib/check_source.py and is not there; take it out"


def units(root):
    """Unit ("folder/name", a header with the source beside it) -> [(file, line, included unit)] in core/src."""
    source = os.path.join(root, "core/src")
    found = {}
    for place, folders, files in os.walk(source):
        folders.sort()
        for file in sorted(files):
            if not file.endswith((".h", ".cpp")):
                continue
            path = os.path.relpath(os.path.join(place, file), source)
            with open(os.path.join(place, file), encoding="utf-8") as stream:
                text = stream.read()
            for match in re.finditer(r'^\s*#\s*include\s*"([^"]+)"', text, re.M):
                included = match.group(1)
                if os.path.isfile(os.path.join(source, included)):
                    line = text.count("\n", 0, match.start(1)) + 1
                    found.setdefault(os.path.splitext(path)[0], []).append((path, line, os.path.splitext(included)[0]))
            found.setdefault(os.path.splitext(path)[0], [])
    return found


def row_of(unit):
    folder = os.path.dirname(unit)
    while folder and folder not in MAY_INCLUDE:
        folder = os.path.dirname(folder)
    return folder


def is_allowed(row, folder):
    return folder == row or any(folder == name or folder.startswith(name + "/") for name in MAY_INCLUDE[row])


def includes_outside_the_table(found):
    for unit, includes in sorted(found.items()):
        row = row_of(unit)
        if not row:  # the programs may include all
            continue
        for file, line, included in includes:
            if not is_allowed(row, row_of(included) or os.path.dirname(included)):
                allowed = ", ".join(MAY_INCLUDE[row]) or "no other folder"
                yield (f"core/src/{file}:{line}: {row} may not include {included}.h; of core/src it may include {allowed} "
                       "(MAY_INCLUDE in scripts/lib/check_source.py): move what both need to a folder that both may include")


def circles_of_units(found):
    """Strongly connected components of more than one unit (Tarjan 1972), within one folder."""
    edges = {unit: sorted({other for _, _, other in includes if other != unit and os.path.dirname(other) == os.path.dirname(unit)})
             for unit, includes in found.items()}
    index, low, stack, out = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in edges.get(unit, []):
            if other not in index:
                visit(other)
                low[unit] = min(low[unit], low[other])
            elif other in stack:
                low[unit] = min(low[unit], index[other])
        if low[unit] == index[unit]:
            circle = []
            while not circle or circle[-1] != unit:
                circle.append(stack.pop())
            if len(circle) > 1:
                out.append(sorted(circle))

    for unit in sorted(edges):
        if unit not in index:
            visit(unit)
    return out


def circle_finding(circle):
    return (f"core/src/{os.path.dirname(circle[0])}: these units include each other: "
            f"{', '.join(os.path.basename(unit) for unit in circle)}; give what they share a unit of its own")


RULES = [banned_includes, kernel_includes, plugins_named, root_entries, long_files]


def main(arguments):
    (root,) = arguments
    found = units(root)
    outside, circles = list(includes_outside_the_table(found)), circles_of_units(found)
    findings = outside + [circle_finding(circle) for circle in circles] + [finding for rule in RULES for finding in rule(root)]
    for finding in findings:
        print(finding)
    print(f"core/src: {len(outside)} includes outside the table, {len(circles)} circles of units within a folder")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
