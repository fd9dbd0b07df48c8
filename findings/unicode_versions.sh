#!/usr/bin/env bash
# Libraries that split text by GPT-2's pattern use different versions of Unicode.
#
# Expected: programs that split text by GPT-2's pattern ('s|'t|..| ?\p{L}+| ?\p{N}+|..) give the same pieces with every
#   regular expression library.
# What happens: \p{L} and \p{N} depend on the Unicode version of the library. tiktoken 0.12.0 and tokenizers 0.22.1 agree
#   with Unicode 16.0.0 (unicodedata2 16.0.0) on all code points. The PCRE2 of Debian 12 has Unicode 14 and classifies 9,392
#   code points differently, so it splits U+31350 followed by 's as [U+31350 '] [s]; the other two give [U+31350] ['s].
# Versions: PCRE2 10.42 (libpcre2-8, Unicode 14.0.0), tiktoken 0.12.0, tokenizers 0.22.1, unicodedata2 16.0.0, Python 3.11.
# Platform: Debian 12, x86-64.
#
# Usage: unicode_versions.sh. It exits with 0 if this still happens, with 1 if it has changed, and with 2 if it cannot run.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python" || exit 2
"$work/python/bin/python" -m pip install --quiet --disable-pip-version-check tiktoken==0.12.0 tokenizers==0.22.1 unicodedata2==16.0.0 || exit 2

"$work/python/bin/python" - <<'PYTHON'
import ctypes
import ctypes.util
import sys

import tiktoken
import tokenizers
import unicodedata2
from tokenizers import pre_tokenizers

CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

try:
    pcre2 = ctypes.CDLL(ctypes.util.find_library("pcre2-8") or "libpcre2-8.so.0")
except OSError as error:
    print(f"there is no PCRE2 on this machine: {error}")
    sys.exit(2)
UTF, UCP, ANCHORED = 0x00080000, 0x00020000, 0x80000000
pcre2.pcre2_compile_8.restype = ctypes.c_void_p
pcre2.pcre2_match_data_create_from_pattern_8.restype = ctypes.c_void_p
pcre2.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)


def config(what):
    text = ctypes.create_string_buffer(64)
    pcre2.pcre2_config_8(what, text)
    return text.value.decode()


class Pattern:
    def __init__(self, pattern):
        number, place = ctypes.c_int(), ctypes.c_size_t()
        data = pattern.encode()
        self.code = ctypes.c_void_p(pcre2.pcre2_compile_8(data, ctypes.c_size_t(len(data)), ctypes.c_uint32(UTF | UCP),
                                                          ctypes.byref(number), ctypes.byref(place), None))
        assert self.code.value, pattern
        self.match = ctypes.c_void_p(pcre2.pcre2_match_data_create_from_pattern_8(self.code, None))

    def end(self, data, begin):
        """Returns the end of the match at `begin`, or -1 if there is none."""
        found = pcre2.pcre2_match_8(self.code, data, ctypes.c_size_t(len(data)), ctypes.c_size_t(begin),
                                    ctypes.c_uint32(ANCHORED), self.match, None)
        return -1 if found < 0 else pcre2.pcre2_get_ovector_pointer_8(self.match)[1]

    def pieces(self, text):
        data, begin, found = text.encode(), 0, []
        while begin < len(data):
            end = self.end(data, begin)
            found.append(data[begin:end].decode())
            begin = end
        return found


# Letter and number of every code point, by each library.
letter, number = Pattern(r"\p{L}"), Pattern(r"\p{N}")
by_pcre2 = ["L" if letter.end(chr(code).encode(), 0) > 0 else "N" if number.end(chr(code).encode(), 0) > 0 else "-"
            for code in CODES]

byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
by_tokenizers = ["L" if len(byte_level.pre_tokenize_str("a" + chr(code))) == 1
                 else "N" if len(byte_level.pre_tokenize_str("1" + chr(code))) == 1 else "-" for code in CODES]

# tiktoken shows a split by what it merges: 'a' or '1' and the first byte after it, if both are in one piece.
ranks = {bytes([byte]): byte for byte in range(256)}
for first in b"a1":
    for byte in range(256):
        ranks[bytes([first, byte])] = len(ranks)
encoding = tiktoken.Encoding("split", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
by_tiktoken = ["L" if encoding.encode_ordinary("a" + chr(code))[0] > 255
               else "N" if encoding.encode_ordinary("1" + chr(code))[0] > 255 else "-" for code in CODES]

by_unicode16 = [kind if (kind := unicodedata2.category(chr(code))[0]) in "LN" else "-" for code in CODES]


def differences(one, other):
    return sum(a != b for a, b in zip(one, other))


text = "\U00031350's"
split = {"PCRE2": Pattern(GPT2).pieces(text),
         "tokenizers": [text[begin:end] for _, (begin, end) in byte_level.pre_tokenize_str(text)]}
version = config(10)
print(f"PCRE2 {config(11)} has Unicode {version}; tiktoken {tiktoken.__version__}, tokenizers {tokenizers.__version__};"
      f" unicodedata2 has Unicode {unicodedata2.unidata_version}")
print(f"letters {by_unicode16.count('L')}, numbers {by_unicode16.count('N')} in Unicode 16.0.0")
found = {name: differences(kinds, by_unicode16)
         for name, kinds in (("PCRE2", by_pcre2), ("tiktoken", by_tiktoken), ("tokenizers", by_tokenizers))}
for name, count in found.items():
    print(f"{name}: {count} code points are classified differently from Unicode 16.0.0")
for name, pieces in split.items():
    print(f"{name} splits U+31350's into {[piece.encode('unicode_escape').decode() for piece in pieces]}")
same = (found == {"PCRE2": 9392, "tiktoken": 0, "tokenizers": 0} and version.startswith("14.")
        and split == {"PCRE2": ["\U00031350'", "s"], "tokenizers": ["\U00031350", "'s"]})
print("as described" if same else "this is no longer as described")
sys.exit(0 if same else 1)
PYTHON
