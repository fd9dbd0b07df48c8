#!/usr/bin/env python3
"""The rules of the tree that no compiler knows, for scripts/check: what may include what, names, lengths, root entries.

Usage: check_source.py ROOT        prints "file:line: what is wrong; what to do" for each finding; exit status 1 if any
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

# folders; what their includes must not match; why, and what to do instead
LIBTORCH = r"<(ATen|torch|c10)/"
INCLUDE_BANS = [
    (["core/include"], r"<torch/torch\.h>|<ATen/ATen\.h>",
     "costs every plugin seconds a unit; include <ATen/core/Tensor.h> or <ATen/ops/NAME.h>"),
    (["core/include"], r"<(toml\+\+|fmt|boost|nlohmann)/", "must not cross the plugin boundary; use it in core/src"),
    (["core/src/config", "core/src/record", "core/src/launch", "core/src/compare", "core/src/report", "core/src/cli"], LIBTORCH,
     "would take LibTorch into the controller; what needs tensors belongs to core/src/run or a plugin"),
    (["kernels"], r"<(ATen|torch|c10|boost|fmt|nlohmann|toml\+\+)/", "kernels work on raw pointers and stand alone"),
]

# Plugins whose names the core uses in meanings of their own (a column's text, no direction, a linear range).
COMMON_WORDS = {"text", "bytes", "code", "none", "linear", "constant"}


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
    kinds = sorted(entry.name for entry in os.scandir(plugins) if entry.is_dir())
    names = {entry.name for kind in kinds for entry in os.scandir(os.path.join(plugins, kind)) if entry.is_dir()}
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


RULES = [banned_includes, kernel_includes, plugins_named, root_entries, long_files]


def main(arguments):
    (root,) = arguments
    findings = [finding for rule in RULES for finding in rule(root)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
