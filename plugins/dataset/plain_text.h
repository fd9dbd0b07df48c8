// Files of plain text: reads their bytes and tells whether the content is plain text, in any encoding of bytes.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "assay/error.h"

namespace assay::dataset {

// The binary format that the content begins like, or "". Some of these formats begin with text and contain no zero
// byte.
inline std::string known_format(std::string_view content) {
  using namespace std::string_view_literals;
  static constexpr std::array<std::pair<std::string_view, const char*>, 15> kFormats{
      {{"PAR1"sv, "a Parquet file"},
       {"ARROW1"sv, "an Arrow file"},
       {"Obj\x01"sv, "an Avro file"},
       {"\x1f\x8b"sv, "compressed by gzip"},
       {"\x28\xb5\x2f\xfd"sv, "compressed by zstd"},
       {"\xfd\x37zXZ\0"sv, "compressed by xz"},
       {"BZh91AY&SY"sv, "compressed by bzip2"},
       {"PK\x03\x04"sv, "a zip archive, as .docx, .epub and .npz are"},
       {"%PDF-"sv, "a PDF"},
       {"{\\rtf"sv, "an RTF document"},
       {"SQLite format 3\0"sv, "an SQLite database"},
       {"\x89HDF"sv, "an HDF5 file"},
       {"\x93NUMPY"sv, "a NumPy array"},
       {"\xff\xfe"sv, "text in UTF-16"},
       {"\xfe\xff"sv, "text in UTF-16"}}};
  for (const auto& [begin, name] : kFormats)
    if (content.starts_with(begin)) return name;
  return "";
}

// The next line that is not blank, from `at` on; `at` moves to its end.
inline std::string_view next_line(std::string_view content, size_t& at) {
  at = std::min(content.find_first_not_of(" \t\r\n", at), content.size());
  const auto end = std::min(content.find('\n', at), content.size());
  const auto line = content.substr(at, end - at);
  at = end;
  return line;
}

// Whether `line` is a JSON object or list (kWhole) or the beginning of one (kCut), whose error is after the last byte.
enum class Record { kNone, kCut, kWhole };
inline Record record_in(std::string_view line) {
  if (!line.starts_with('{') && !line.starts_with('[')) return Record::kNone;
  try {
    return nlohmann::json::parse(line.begin(), line.end()).is_structured() ? Record::kWhole : Record::kNone;
  } catch (const nlohmann::json::parse_error& error) {
    return error.byte > line.size() ? Record::kCut : Record::kNone;
  }
}

// Whether the first lines are JSON objects or lists: at least two of them, and at most one in eight lines is not one.
// Comments and a header line may come before them; a line may be truncated, as at the end of an incomplete file.
inline bool has_json_lines(std::string_view content) {
  constexpr int kMaxLines = 16;
  int lines = 0, records = 0, whole = 0;
  bool header = false;
  for (size_t at = 0; lines < kMaxLines;) {
    const auto line = next_line(content, at);
    if (line.empty()) break;
    const auto record = record_in(line);
    if (lines == 0 && record == Record::kNone) {
      if (line.starts_with('#') || line.starts_with("//")) continue;
      if (!std::exchange(header, true)) continue;
    }
    ++lines;
    records += record != Record::kNone ? 1 : 0;
    whole += record == Record::kWhole ? 1 : 0;
  }
  return whole > 0 && records > 1 && 8 * (lines - records) <= lines;
}

// "JSON lines", or "JSON" for one object or list, or "".
inline std::string json_in(std::string_view content) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  if (has_json_lines(content)) return "JSON lines";
  size_t at = 0;
  const auto first = next_line(content, at);
  const bool opens = first.starts_with('{') || first.starts_with('[');
  return opens && nlohmann::json::accept(content.begin(), content.end()) ? "JSON" : "";
}

// What a file is whose bytes are not text in an extension of ASCII; "" where they are.
inline std::string binary_format(std::string_view content) {
  if (auto format = known_format(content); !format.empty()) return format;
  return content.find('\0') != std::string_view::npos ? "a binary file, for it contains zero bytes" : "";
}

inline const char* remedy_of(std::string_view format) {
  return format.ends_with("UTF-16") ? "; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"
                                    : "; extract its text to a .txt file";
}

// What a file is that is not plain text, and what to do with it; "" for plain text.
inline std::string refusal_of(std::string_view content) {
  if (const auto format = binary_format(content); !format.empty()) return "is " + format + remedy_of(format);
  if (const auto json = json_in(content); !json.empty())
    return "is " + json +
           "; extract its text to a .txt file (jq -r .text FILE for a key 'text'), or train on the structure itself "
           "with the dataset code and its 'endings'";
  return "";
}

// The bytes of a file; errors begin with the name of the component.
inline std::string read_file(const std::string& component, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(file))
    throw UserError(component + ": cannot read " + file.string() + "; does it exist, and is it a file?");
  std::string text(static_cast<size_t>(std::filesystem::file_size(file)), '\0');
  if (!text.empty() && !stream.read(text.data(), static_cast<std::streamsize>(text.size())))
    throw UserError(component + ": cannot read all of " + file.string());
  return text;
}

// The text with "\n" in place of "\r\n" at line ends.
inline std::string with_plain_line_ends(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  return out;
}

}  // namespace assay::dataset
