"""The R lazy-load decoder against streams made by hand from the description of the format."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import struct
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))

import r_lazyload  # noqa: E402
from r_lazyload import DecodeError, Stream  # noqa: E402

NULL = struct.pack(">i", 254)


def word(value):
    return struct.pack(">i", value)


def header(version):
    text = b"X\n" + word(version) + word(0x00040201) + word(0x00020300)
    return text + word(5) + b"UTF-8" if version == 3 else text


def string(value):
    return word(9) + (word(-1) if value is None else word(len(value)) + value)


def strings(values, attributes=None):
    text = word(16 | (0x200 if attributes else 0)) + word(len(values)) + b"".join(map(string, values))
    return text + (attributes or b"")


def symbol(name):
    return word(1) + string(name)


def cell(tag, value):
    """A pairlist cell without the rest of its list."""
    return word(2 | 0x400) + tag + value if tag else word(2) + value


def named_list(pairs, names_tag=None):
    attributes = cell(names_tag or symbol(b"names"), strings([name for name, _ in pairs])) + NULL
    return word(19 | 0x200) + word(len(pairs)) + b"".join(value for _, value in pairs) + attributes


def integers(*values):
    return word(13) + word(len(values)) + b"".join(map(word, values))


def decode(item, version=2):
    return Stream(header(version) + item, "test").whole()


class StreamTest(unittest.TestCase):
    def refuses(self, data, *parts):
        with self.assertRaises(DecodeError) as caught:
            Stream(data, "test").whole()
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_string_vector_with_missing_and_empty_in_both_versions(self):
        for version in (2, 3):
            with self.subTest(version=version):
                item = decode(strings([b"a", None, b""]), version)
                self.assertEqual(item.value, [b"a", None, b""])
                self.assertEqual(r_lazyload.as_text([line or b"" for line in item.value]), b"a\n\n\n")

    def test_a_stream_worked_out_byte_by_byte(self):
        data = bytes.fromhex("580a 00000002 00040201 00020300 00000010 00000002"
                             "00040009 00000002 6869 00000009 ffffffff")
        self.assertEqual(Stream(data, "test").whole().value, [b"hi", None])

    def test_numbers(self):
        self.assertEqual(decode(integers(1, -2, 2147483647)).value, (1, -2, 2147483647))
        self.assertEqual(decode(word(10) + word(2) + word(1) + word(0)).value, (1, 0))
        self.assertEqual(decode(word(14) + word(1) + bytes.fromhex("3ff8000000000000")).value, (1.5,))

    def test_list_with_names_and_attributes_after_the_body(self):
        item = decode(named_list([(b"one", integers(7)), (b"two", strings([b"x"]))]))
        self.assertEqual(item.names, [b"one", b"two"])
        self.assertEqual(item.value[0].value, (7,))
        self.assertEqual(item.value[1].value, [b"x"])

    def test_other_attributes_are_read_past(self):
        attributes = (cell(symbol(b"class"), strings([b"text"])) + cell(symbol(b"names"), strings([b"n"])) + NULL)
        item = decode(strings([b"v"], attributes))
        self.assertEqual(item.value, [b"v"])
        self.assertEqual(item.names, [b"n"])

    def test_references_packed_and_unpacked(self):
        inner_first = named_list([(b"a", integers(1))])
        for reference in (word(255 | 1 << 8), word(255) + word(1)):
            with self.subTest(reference=reference.hex()):
                item = decode(named_list([(b"x", inner_first)], names_tag=reference))
                self.assertEqual(item.value[0].names, [b"a"])
                self.assertEqual(item.names, [b"x"])

    def test_references_count_from_one_in_order_of_first_use(self):
        pairs = cell(symbol(b"first"), NULL) + cell(symbol(b"second"), NULL)
        pairs += cell(word(255 | 2 << 8), NULL) + cell(word(255) + word(1), NULL) + NULL
        self.assertEqual([tag for tag, _ in decode(pairs).value], [b"first", b"second", b"second", b"first"])

    def test_references_outside_the_table(self):
        self.refuses(header(2) + word(255 | 1 << 8), "reference 1 of 0", "offset 14")
        self.refuses(header(2) + word(255) + word(0), "reference 0 of 0", "offset 14")
        self.refuses(header(2) + word(255) + word(-1), "reference -1 of 0", "offset 14")

    def test_markers_have_no_body(self):
        items = word(19) + word(5) + b"".join(word(type_) for type_ in (242, 251, 252, 253, 254))
        self.assertEqual([item.type for item in decode(items).value], [242, 251, 252, 253, 254])

    def test_pairlist_cell_with_attributes_tag_and_value(self):
        flags = word(2 | 0x200 | 0x400)
        item = decode(flags + cell(symbol(b"a"), NULL) + NULL + symbol(b"tag") + integers(3) + NULL)
        self.assertEqual(item.value[0][0], b"tag")
        self.assertEqual(item.value[0][1].value, (3,))

    def test_long_pairlist_does_not_recurse(self):
        item = decode(cell(None, integers(1)) * 100_000 + NULL)
        self.assertEqual(len(item.value), 100_000)

    def test_deep_nesting_is_refused(self):
        self.refuses(header(2) + (word(19) + word(1)) * 10_000 + NULL, "nested deeper than 64")
        self.refuses(header(2) + word(2) * 10_000 + NULL, "nested deeper than 64")
        self.refuses(header(2) + word(1) * 10_000, "nested deeper than 64")

    def test_unknown_type(self):
        self.refuses(header(2) + word(238), "type 238", "offset 14")
        self.refuses(header(3) + word(19) + word(2) + NULL + word(4), "type 4", "offset 35")
        self.refuses(header(2) + word(16) + word(1) + word(13) + word(0), "type 13", "string vector", "offset 22")

    def test_negative_lengths(self):
        for type_ in (10, 13, 14, 16, 19):
            with self.subTest(type=type_):
                self.refuses(header(2) + word(type_) + word(-5), "negative length -5", "offset 18")
        self.refuses(header(2) + word(9) + word(-2), "negative length -2", "offset 18")
        self.refuses(header(2)[:2] + word(3) + word(0) * 2 + word(-1), "negative length -1", "offset 14")

    def test_lengths_beyond_the_end(self):
        for type_, need in ((10, 4), (13, 4), (14, 8), (16, 8), (19, 4)):
            with self.subTest(type=type_):
                self.refuses(header(2) + word(type_) + word(0x7FFFFFFF), f"needs {need * 0x7FFFFFFF} bytes",
                             "0 are left", "offset 18")
        self.refuses(header(2) + word(9) + word(10) + b"short", "needs 10 bytes, 5 are left", "offset 22")

    def test_every_cut_is_refused(self):
        whole = header(3) + named_list([(b"a", integers(1, 2)), (b"b", strings([b"x", None]))])
        Stream(whole, "test").whole()
        for end in range(len(whole)):
            self.refuses(whole[:end], "at offset")

    def test_bad_headers_and_trailing_bytes(self):
        self.refuses(b"A\n" + header(2)[2:] + NULL, "not an XDR serialisation")
        self.refuses(b"X\n" + word(4) + word(0) * 2 + NULL, "format version 4", "offset 2")
        self.refuses(header(2) + NULL + b"zz", "2 bytes too many", "offset 18")

    def test_malformed_structure(self):
        self.refuses(header(2) + word(1) + integers(1), "name of a symbol has type 13", "offset 18")
        self.refuses(header(2) + word(2) + NULL + integers(1), "type 13 as the rest of a pairlist", "offset 22")
        self.refuses(header(2) + word(19 | 0x200) + word(0) + integers(1), "attributes of type 13", "offset 22")


class ChunkTest(unittest.TestCase):
    TEXT = header(2) + strings([b"line"] * 50)

    def chunk(self, body, stated=None):
        return struct.pack(">I", len(self.TEXT) if stated is None else stated) + body

    def refuses(self, chunk, *parts):
        with self.assertRaises(DecodeError) as caught:
            r_lazyload.decompress_chunk(chunk, "object 'x'")
        for part in ("object 'x'",) + parts:
            self.assertIn(part, str(caught.exception))

    def test_zlib_bzip2_and_xz(self):
        raw = lzma.compress(self.TEXT, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
        for body in (zlib.compress(self.TEXT), b"2" + bz2.compress(self.TEXT), b"Z" + raw,
                     b"Z" + lzma.compress(self.TEXT)):
            with self.subTest(first=body[:1]):
                self.assertEqual(r_lazyload.decompress_chunk(self.chunk(body), "x"), self.TEXT)

    def test_empty_payload(self):
        self.assertEqual(r_lazyload.decompress_chunk(self.chunk(zlib.compress(b""), 0), "x"), b"")

    def test_truncated(self):
        for body in (zlib.compress(self.TEXT), b"2" + bz2.compress(self.TEXT), b"Z" + lzma.compress(self.TEXT)):
            for cut in (1, 4, len(body) // 2):
                with self.subTest(first=body[:1], cut=cut):
                    self.refuses(self.chunk(body[:-cut]), "cut off")
        self.refuses(b"\0\0\0", "3 bytes")

    def test_wrong_uncompressed_length(self):
        body, size = zlib.compress(self.TEXT), len(self.TEXT)
        self.refuses(self.chunk(body, size + 1), f"{size} bytes uncompressed, the chunk states {size + 1}")
        self.refuses(self.chunk(body, size - 1), f"more than {size - 1} bytes")
        self.refuses(self.chunk(body, 0), "more than 0 bytes")
        self.refuses(self.chunk(body, 0xFFFFFFFF), "cannot hold the stated 4294967295 bytes")

    def test_damaged_and_followed_by_something(self):
        body = bytearray(zlib.compress(self.TEXT))
        body[-1] ^= 1
        self.refuses(self.chunk(bytes(body)), "damaged")
        self.refuses(self.chunk(zlib.compress(self.TEXT) + b"more"), "4 bytes after the compressed data")

    def test_unknown_compression(self):
        self.refuses(self.chunk(b"3" + self.TEXT), "compression type b'3'", "offset 4", "not supported")


class DatabaseTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.base = os.path.join(temporary.name, "Rdata")
        self.out = os.path.join(temporary.name, "out")

    def write(self, objects, compress=gzip.compress, version=2, places=None):
        """The two files of a database; objects are pairs (name, item)."""
        database, variables = b"", []
        for name, item in objects:
            data = header(version) + item
            chunk = struct.pack(">I", len(data)) + zlib.compress(data)
            place = (places or {}).get(name, (len(database), len(chunk)))
            variables.append((name, integers(*place)))
            database += chunk
        reused = word(255 | 1 << 8)
        index = named_list([(b"variables", named_list(variables)), (b"references", named_list([], reused)),
                            (b"compressed", word(10) + word(1) + word(1))], reused)
        with open(self.base + ".rdx", "wb") as file:
            file.write(compress(header(version) + index))
        with open(self.base + ".rdb", "wb") as file:
            file.write(database)

    def refuses(self, *parts):
        with self.assertRaises(DecodeError) as caught:
            r_lazyload.decode(self.base, self.out)
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def read(self, name):
        with open(os.path.join(self.out, name), "rb") as file:
            return file.read()

    def test_each_compression_of_the_index_in_both_versions(self):
        for compress in (gzip.compress, bz2.compress, lzma.compress, zlib.compress):
            for version in (2, 3):
                with self.subTest(compress=compress.__module__, version=version):
                    self.write([(b"novel", strings([b"a", None, b""]))], compress, version)
                    self.assertEqual(r_lazyload.decode(self.base, self.out), [("novel", 4, 16)])
                    self.assertEqual(self.read("novel.txt"), b"a\n\n\n")

    def test_unsupported_compression_is_named(self):
        self.write([], lambda data: b"\x28\xb5\x2f\xfd" + data)
        self.refuses("Rdata.rdx", "Zstandard", "not supported")
        self.write([], lambda data: b"\x04\x22\x4d\x18" + data)
        self.refuses("LZ4", "not supported")
        self.write([], lambda data: data)
        self.refuses("unknown compression, first bytes 58 0a")
        self.write([], lambda data: b"")
        self.refuses("first bytes none")

    def test_objects_of_another_type_are_listed_and_skipped(self):
        self.write([(b"numbers", integers(1, 2)), (b"function", word(3)), (b"text", strings([b"x"]))])
        self.assertEqual(r_lazyload.decode(self.base, self.out),
                         [("numbers", None, 13), ("function", None, 3), ("text", 2, 16)])
        self.assertEqual(os.listdir(self.out), ["text.txt"])

    def test_places_outside_the_database(self):
        for place in ((-1, 10), (0, -10), (0, 100_000), (100_000, 10)):
            with self.subTest(place=place):
                self.write([(b"a", strings([b"x"]))], places={b"a": place})
                self.refuses("object 'a'", "lie outside")
        self.write([(b"a", strings([b"x"]))], places={b"a": (1, 2, 3)})
        self.refuses("object 'a'", "two integers")

    def test_names_that_leave_the_folder(self):
        for name in (b"../evil", b"/tmp/evil", b".hidden", b""):
            with self.subTest(name=name):
                self.write([(name, strings([b"x"]))])
                self.refuses("not usable as a file name")

    def test_index_without_variables_or_names(self):
        for item, part in ((named_list([(b"other", NULL)]), "no element 'variables'"),
                           (word(19) + word(0), "not a list with one name"), (integers(1), "not a list"),
                           (named_list([(b"variables", integers(1))]), "'variables' is not a list")):
            with self.subTest(part=part):
                self.write([])
                with open(self.base + ".rdx", "wb") as file:
                    file.write(gzip.compress(header(2) + item))
                self.refuses("Rdata.rdx", part)

    def command(self, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            return r_lazyload.main(list(arguments)), out.getvalue(), err.getvalue()

    def test_command_line(self):
        status, _, err = self.command(self.base)
        self.assertEqual(status, 2)
        self.assertIn("usage:", err)
        status, _, err = self.command(self.base, self.out)
        self.assertEqual(status, 1)
        self.assertIn("No such file", err)
        self.write([(b"novel", strings([b"a"])), (b"numbers", integers(1))])
        self.assertEqual(self.command(self.base, self.out),
                         (0, "novel: 2 bytes\nnumbers: skipped, type 13 is no string vector\n", ""))
        self.assertEqual(self.read("novel.txt"), b"a\n")


if __name__ == "__main__":
    unittest.main()
