#!/usr/bin/env python3
"""One name, one definition: finds definitions that differ among the object files of one program but have the same name.

Usage: check_odr.py BUILD TARGET...   the CMake targets that make one program; BUILD has their compile_commands.json

The linker takes any one of the definitions of an inline function, a template or a virtual table, so two classes of one
name share code that fits only one of them, without a message. This script compares the definitions themselves: the bytes
of every weak symbol that names something of ours, and the names that its relocations refer to. It also reports two
strong definitions of one name, which no linker sees where they are in different shared libraries.

The objects must be compiled without optimisation (-O0), so that equal source gives equal code. References to what an
object has for itself (a constant, a static function) are not compared, except for string literals; neither is what is
done when a callee throws. A class that leaves no symbol (no inline function, no template made with it) is not seen.

Prints each name with its definitions, and exits with status 1 if there is one.
"""

import collections
import hashlib
import json
import os
import shlex
import struct
import subprocess
import sys

OURS = b"5assay"  # in the mangled name of anything of our namespace, and of templates made with it
WEAK, GLOBAL, UNIQUE = 2, 1, 10
OBJECT, FUNCTION, SECTION = 1, 2, 3
RELA, NOBITS = 4, 8
PC32, GOT = {2, 4}, {9, 41, 42}
MOV, LEA = 0x8B, 0x8D
UNWIND = b"_Unwind_Resume"


class ObjectFile:
    """An ELF64 little-endian relocatable: its sections, symbols and relocations."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: is not an ELF64 little-endian object file")
        offset, size, count = struct.unpack_from("<Q", self.data, 0x28)[0], *struct.unpack_from("<HH", self.data, 0x3A)
        if count == 0:  # more than fit the header
            count = struct.unpack_from("<Q", self.data, offset + 0x20)[0]
        fields = collections.namedtuple("Section", "name type flags address offset size link info align entry")
        self.sections = [fields(*struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size)) for i in range(count)]
        self.section_names = self.sections[struct.unpack_from("<H", self.data, 0x3E)[0]].offset
        self.symbols, self.high = [], None
        for number, section in enumerate(self.sections):
            if section.type == 18:  # indices of sections that do not fit 16 bits
                self.high = struct.unpack_from(f"<{section.size // 4}I", self.data, section.offset)
        for section in self.sections:
            if section.type == 2:
                self.names = self.sections[section.link].offset
                content = self.data[section.offset:section.offset + section.size]
                self.symbols = list(struct.iter_unpack("<IBBHQQ", content))
        self.relocations = {section.info: section for section in self.sections if section.type == RELA}

    def name_of(self, section):
        begin = self.section_names + section.name
        return self.data[begin:self.data.index(b"\0", begin)]

    def name(self, symbol):
        begin = self.names + symbol[0]
        return self.data[begin:self.data.index(b"\0", begin)]

    def section_of(self, number):
        index = self.symbols[number][3]
        return self.high[number] if index == 0xFFFF else index

    def text(self, symbol, number, addend):
        """The string literal that a local reference refers to; b"" where it refers to anything else."""
        index = self.section_of(number)
        if index == 0 or index >= len(self.sections):
            return b""
        section = self.sections[index]
        begin = section.offset + symbol[4] + addend
        if not self.name_of(section).startswith(b".rodata") or not 0 <= begin - section.offset < section.size:
            return b""
        end = self.data.find(b"\0", begin, section.offset + section.size)
        found = self.data[begin:end] if end > begin else b""
        try:
            return found if found.decode().replace("\n", " ").isprintable() else b""
        except UnicodeDecodeError:
            return b""

    def content(self, number):
        """The fingerprint of a symbol's definition, and the names that it refers to, in order."""
        _, _, _, _, value, size = self.symbols[number]
        section_number = self.section_of(number)
        section = self.sections[section_number]
        if section.type == NOBITS:
            return hashlib.sha256(b"nothing").digest(), ()
        bytes_ = bytearray(self.data[section.offset + value:section.offset + value + size])
        references = []
        relocations = self.relocations.get(section_number)
        if relocations:
            for place, info, addend in struct.iter_unpack(
                    "<QQq", self.data[relocations.offset:relocations.offset + relocations.size]):
                if not value <= place < value + size:
                    continue
                kind, target = info & 0xFFFFFFFF, info >> 32
                symbol = self.symbols[target]
                place -= value
                # The address of a name that another library may define is loaded, that of any other computed.
                if kind in GOT and place >= 2 and bytes_[place - 2] == MOV:
                    bytes_[place - 2] = LEA
                if symbol[1] >> 4:
                    references.append((place, self.name(symbol), addend))
                else:
                    references.append((place, b"", self.text(symbol, target, addend + (4 if kind in PC32 else 0))))
        references.sort(key=lambda one: one[0])
        names = tuple(name for _, name, _ in references if name)
        return hashlib.sha256(bytes(bytes_) + repr(references).encode()).digest(), names

    def definitions(self):
        """Number, name and binding of what it defines of ours."""
        for number, symbol in enumerate(self.symbols):
            binding, kind = symbol[1] >> 4, symbol[1] & 15
            if binding in (WEAK, GLOBAL, UNIQUE) and kind in (OBJECT, FUNCTION) and symbol[3] != 0:
                name = self.name(symbol)
                if OURS in name:
                    yield number, name, binding


def objects_of(build, targets):
    """The objects of targets as CMake lists them: a folder may hold those of earlier builds as well."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        words = [shlex.split(one["command"]) for one in json.load(file)]
    objects = [one[one.index("-o") + 1] for one in words if "-o" in one]
    for target in targets:
        folder = f"CMakeFiles/{target}.dir/"
        own = [os.path.join(build, name) for name in objects if folder in name and not name.endswith(".gch")]
        if not own:
            sys.exit(f"check_odr.py: {build} has no target '{target}' that compiles anything")
        yield from own


def demangled(names):
    done = subprocess.run(["c++filt"], input=b"\n".join(names), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode(errors="replace").split("\n")


def compare(paths):
    """By mangled name: {(size, content): [object]} of weak definitions; and [object] of strong ones."""
    weak = collections.defaultdict(lambda: collections.defaultdict(list))
    strong = collections.defaultdict(list)
    for path in paths:
        file = ObjectFile(path)
        for number, name, binding in file.definitions():
            if binding == GLOBAL:
                strong[name].append(path)
            else:
                weak[name][(file.symbols[number][5], file.content(number))].append(path)
    return weak, strong


def only_unwinds_more(longer, shorter):
    """Whether a definition differs from another in what it does when a callee throws, and in nothing else that is seen.

    GCC leaves this out for callees that it has compiled before and has found not to throw, which depends on the order of
    the file."""
    return longer[-1:] == (UNWIND,) and shorter[-1:] != (UNWIND,) and shorter and longer[:len(shorter)] == shorter


def without_unwinding(kinds):
    """The definitions without those that differ from another one in unwinding alone."""
    names = [content[1] for _, content in kinds]
    return [kind for kind in kinds if not any(only_unwinds_more(kind[1][1], other) for other in names)]


def main(words):
    if len(words) < 2 or words[0].startswith("-"):
        sys.exit(__doc__)
    paths = list(objects_of(words[0], words[1:]))
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        sys.exit(f"check_odr.py: {missing[0]} is missing; build {' '.join(words[1:])} first")
    weak, strong = compare(paths)
    differing = sorted(name for name, kinds in weak.items() if len(kinds) > 1 and len(without_unwinding(kinds)) > 1)
    twice = sorted(name for name, files in strong.items() if len(files) > 1)
    for name, text in zip(differing, demangled(differing)):
        print(f"{text}: has {len(weak[name])} definitions that differ")
        for (size, _), files in sorted(weak[name].items(), key=lambda one: one[1]):
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            print(f"    {size} bytes in {os.path.relpath(files[0])}{more}")
    for name, text in zip(twice, demangled(twice)):
        print(f"{text}: is defined in {' and '.join(os.path.relpath(file) for file in strong[name])}")
    print(f"{len(paths)} object files: of {len(weak)} weak names of ours, {len(differing)} have definitions that differ;"
          f" {len(twice)} strong names are defined twice")
    return 1 if differing or twice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
