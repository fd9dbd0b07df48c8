#!/usr/bin/env python3
"""Decodes the string vectors of an R lazy-load database (BASE.rdx, BASE.rdb) into text files, one line an element.

Usage: r_lazyload.py BASE FOLDER        writes FOLDER/NAME.txt for each string vector; names what it skips

The .rdx file is one compressed R serialisation: a list whose element "variables" names each object and gives its
(offset, length) in the .rdb file. A chunk there is a 4-byte big-endian uncompressed length and compressed data, again
a serialisation. Nothing is allocated before its length has been compared with the bytes that are there.
"""

import bz2
import lzma
import os
import struct
import sys
import zlib

SYMBOL, PAIRLIST, CHARACTER, LOGICAL, INTEGER, REAL, STRINGS, LIST = 1, 2, 9, 10, 13, 14, 16, 19
NULL, REFERENCE = 254, 255
MARKERS = (242, 251, 252, 253)  # special environments and markers; they have no body
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400
MAX_DEPTH = 64  # of items within items; a pairlist is read in a loop and does not count
MAX_INDEX_BYTES = 64 << 20
MAX_ZLIB_RATIO = 1032  # what deflate can reach


class DecodeError(Exception):
    """Says where (source and offset) and what is wrong."""


class Item:
    """A decoded value. For lists and vectors `names` holds the attribute of that tag, or None."""

    def __init__(self, type_, value, attributes=()):
        self.type = type_
        self.value = value
        self.attributes = attributes

    @property
    def names(self):
        for tag, item in self.attributes:
            if tag == b"names" and item.type == STRINGS:
                return item.value
        return None


class Stream:
    """One uncompressed serialisation, read from front to back."""

    def __init__(self, data, source):
        self.data = data
        self.source = source
        self.at = 0
        self.references = []

    def fail(self, what, at=None):
        raise DecodeError(f"{self.source}: {what} at offset {self.at if at is None else at}")

    def take(self, count, what):
        if count > len(self.data) - self.at:
            self.fail(f"{what} needs {count} bytes, {len(self.data) - self.at} are left")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self, what):
        return struct.unpack(">i", self.take(4, what))[0]

    def length(self, what, item_bytes):
        """A count of things of at least item_bytes each, checked against the bytes that are left."""
        begin = self.at
        count = self.integer(f"length of {what}")
        if count < 0:
            self.fail(f"negative length {count} of {what}", begin)
        if count * item_bytes > len(self.data) - self.at:
            self.fail(f"{what} of length {count} needs {count * item_bytes} bytes, "
                      f"{len(self.data) - self.at} are left", begin)
        return count

    def header(self):
        if self.take(2, "format mark") != b"X\n":
            self.fail("not an XDR serialisation (X, newline)", 0)
        version = self.integer("format version")
        if version not in (2, 3):
            self.fail(f"format version {version}, not 2 or 3", 2)
        self.take(8, "R versions")
        if version == 3:
            self.take(self.length("name of the native encoding", 1), "name of the native encoding")

    def whole(self):
        """Header, one item, and nothing after it."""
        self.header()
        item = self.item()
        if self.at != len(self.data):
            self.fail(f"{len(self.data) - self.at} bytes too many after the last item")
        return item

    def item(self, depth=0):
        begin = self.at
        if depth > MAX_DEPTH:
            self.fail(f"items nested deeper than {MAX_DEPTH}")
        flags = self.integer("flags of an item") & 0xFFFFFFFF
        type_ = flags & 0xFF
        if type_ == NULL or type_ in MARKERS:
            return Item(type_, None)
        if type_ == REFERENCE:
            return self.reference(flags >> 8, begin)
        if type_ == SYMBOL:
            return self.symbol(depth)
        if type_ == PAIRLIST:
            return Item(PAIRLIST, self.pairlist(flags, depth))
        if type_ == CHARACTER:
            return Item(CHARACTER, self.character())
        value = self.vector(type_, depth, begin)
        attributes = self.attributes(depth) if flags & HAS_ATTRIBUTES else ()
        return Item(type_, value, attributes)

    def vector(self, type_, depth, begin):
        if type_ in (LOGICAL, INTEGER):
            count = self.length("integer vector", 4)
            return struct.unpack(f">{count}i", self.take(4 * count, "integer vector"))
        if type_ == REAL:
            count = self.length("real vector", 8)
            return struct.unpack(f">{count}d", self.take(8 * count, "real vector"))
        if type_ == STRINGS:
            return [self.string_element() for _ in range(self.length("string vector", 8))]
        if type_ == LIST:
            return [self.item(depth + 1) for _ in range(self.length("list", 4))]
        return self.fail(f"type {type_} is not supported", begin)

    def string_element(self):
        begin = self.at
        type_ = self.integer("flags of a string") & 0xFF
        if type_ != CHARACTER:
            self.fail(f"type {type_} as an element of a string vector", begin)
        return self.character()

    def character(self):
        """The bytes of a string, None for the missing one."""
        begin = self.at
        count = self.integer("length of a string")
        if count == -1:
            return None
        if count < 0:
            self.fail(f"negative length {count} of a string", begin)
        return self.take(count, "string")

    def symbol(self, depth):
        begin = self.at
        name = self.item(depth + 1)
        if name.type != CHARACTER:
            self.fail(f"name of a symbol has type {name.type}", begin)
        item = Item(SYMBOL, name.value)
        self.references.append(item)
        return item

    def reference(self, packed, begin):
        index = packed or self.integer("index of a reference")
        if not 1 <= index <= len(self.references):
            self.fail(f"reference {index} of {len(self.references)}", begin)
        return self.references[index - 1]

    def pairlist(self, flags, depth):
        """Pairs (tag, value) of a list whose first flag word has been read."""
        pairs = []
        while True:
            if flags & HAS_ATTRIBUTES:
                self.item(depth + 1)
            tag = self.item(depth + 1).value if flags & HAS_TAG else None
            pairs.append((tag, self.item(depth + 1)))
            begin = self.at
            flags = self.integer("rest of a pairlist") & 0xFFFFFFFF
            if flags & 0xFF == NULL:
                return pairs
            if flags & 0xFF != PAIRLIST:
                self.fail(f"type {flags & 0xFF} as the rest of a pairlist", begin)

    def attributes(self, depth):
        begin = self.at
        item = self.item(depth + 1)
        if item.type == NULL:
            return ()
        if item.type != PAIRLIST:
            self.fail(f"attributes of type {item.type}, not a pairlist", begin)
        return item.value


def decompress(decompressor, data, limit, source):
    """At most `limit` bytes; refuses streams that are cut off, damaged, longer, or followed by something."""
    try:
        result = decompressor.decompress(data, limit + 1)  # one more than allowed, so that too much shows
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
        raise DecodeError(f"{source}: damaged compressed data: {error}") from None
    if len(result) > limit:
        raise DecodeError(f"{source}: more than {limit} bytes uncompressed")
    if not decompressor.eof:
        raise DecodeError(f"{source}: compressed data cut off after {len(data)} bytes")
    if decompressor.unused_data:
        raise DecodeError(f"{source}: {len(decompressor.unused_data)} bytes after the compressed data")
    return result


def decompress_index(data, source):
    """The .rdx file: the magic tells the method."""
    if data[:2] == b"\x1f\x8b":
        decompressor = zlib.decompressobj(31)
    elif data[:3] == b"BZh":
        decompressor = bz2.BZ2Decompressor()
    elif data[:6] == b"\xfd7zXZ\0":
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    elif data[:1] == b"\x78":
        decompressor = zlib.decompressobj()
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        raise DecodeError(f"{source}: Zstandard compression is not supported (gzip, bzip2, xz and zlib are)")
    elif data[:4] == b"\x04\x22\x4d\x18":
        raise DecodeError(f"{source}: LZ4 compression is not supported (gzip, bzip2, xz and zlib are)")
    else:
        raise DecodeError(f"{source}: unknown compression, first bytes {data[:6].hex(' ') or 'none'} "
                          "(gzip, bzip2, xz and zlib are supported)")
    return decompress(decompressor, data, MAX_INDEX_BYTES, source)


def decompress_chunk(chunk, source):
    """A chunk of the .rdb file: uncompressed length, then zlib data, or a type character and data of that type."""
    if len(chunk) < 5:
        raise DecodeError(f"{source}: chunk of {len(chunk)} bytes has no room for length and data")
    stated = struct.unpack(">I", chunk[:4])[0]
    kind, body = chunk[4:5], chunk[5:]
    if kind == b"\x78":
        if stated > MAX_ZLIB_RATIO * len(chunk):
            raise DecodeError(f"{source}: {len(chunk)} bytes of zlib data cannot hold the stated {stated} bytes")
        data = decompress(zlib.decompressobj(), chunk[4:], stated, source)
    elif kind == b"2":
        data = decompress(bz2.BZ2Decompressor(), body, stated, source)
    elif kind == b"Z":
        data = decompress_raw_xz(body, stated, source)
    else:
        raise DecodeError(f"{source}: compression type {kind!r} at offset 4 of the chunk is not supported "
                          "(zlib, '2' bzip2 and 'Z' xz are)")
    if len(data) != stated:
        raise DecodeError(f"{source}: {len(data)} bytes uncompressed, the chunk states {stated}")
    return data


def decompress_raw_xz(body, stated, source):
    """R writes an LZMA2 stream without the xz container; accept the container too."""
    if body[:6] == b"\xfd7zXZ\0":
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    else:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
    return decompress(decompressor, body, stated, source)


def named(item, what, source):
    """Pairs (name, value) of a list with names."""
    names = item.names
    if item.type != LIST or names is None or len(names) != len(item.value):
        raise DecodeError(f"{source}: {what} is not a list with one name for each element")
    return [((name or b"").decode("utf-8", "replace"), value) for name, value in zip(names, item.value)]


def read_index(data, source):
    """Triples (name, offset, length) of the objects in the .rdb file."""
    index = dict(named(Stream(decompress_index(data, source), source).whole(), "the index", source))
    if "variables" not in index:
        raise DecodeError(f"{source}: the index has no element 'variables'")
    objects = []
    for name, place in named(index["variables"], "'variables'", source):
        if place.type != INTEGER or len(place.value) != 2:
            raise DecodeError(f"{source}: object '{name}' is not placed by two integers (offset, length)")
        objects.append((name, *place.value))
    return objects


def read_object(database, name, offset, length):
    """(type, lines) of one object; lines is None unless it is a string vector. Missing elements are empty lines."""
    source = f"object '{name}'"
    if offset < 0 or length < 0 or offset + length > len(database):
        raise DecodeError(f"{source}: bytes {offset} to {offset + length} lie outside the {len(database)} bytes "
                          "of the database")
    data = decompress_chunk(database[offset : offset + length], source)
    stream = Stream(data, source)
    stream.header()
    type_ = stream.integer("flags of an item") & 0xFF
    if type_ != STRINGS:
        return type_, None
    return type_, [line or b"" for line in Stream(data, source).whole().value]


def as_text(lines):
    return b"".join(line + b"\n" for line in lines)


def is_file_name(name):
    return bool(name) and name[0] != "." and "/" not in name and "\0" not in name


def decode(base, folder):
    """Writes the text files; returns (name, bytes, or None and the type of what was skipped) for each object."""
    with open(base + ".rdx", "rb") as file:
        index = read_index(file.read(), os.path.basename(base) + ".rdx")
    with open(base + ".rdb", "rb") as file:
        database = file.read()
    os.makedirs(folder, exist_ok=True)
    report = []
    for name, offset, length in index:
        type_, lines = read_object(database, name, offset, length)
        if lines is None:
            report.append((name, None, type_))
            continue
        if not is_file_name(name):
            raise DecodeError(f"object '{name}': not usable as a file name")
        text = as_text(lines)
        with open(os.path.join(folder, name + ".txt"), "wb") as file:
            file.write(text)
        report.append((name, len(text), type_))
    return report


def main(arguments):
    if len(arguments) != 2:
        print("usage: r_lazyload.py BASE FOLDER (BASE.rdx and BASE.rdb are read)", file=sys.stderr)
        return 2
    try:
        for name, size, type_ in decode(*arguments):
            print(f"{name}: skipped, type {type_} is no string vector" if size is None else f"{name}: {size} bytes")
    except (DecodeError, OSError) as error:
        print(f"r_lazyload.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
