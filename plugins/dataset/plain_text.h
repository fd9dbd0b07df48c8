// Whether the content of a file is plain text, in whatever encoding of bytes.
#pragma once

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace assay::dataset {

// Some of them, which begin with text, would otherwise not be told from it.
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

// The next line that is not blank, from `at` on, which moves behind it.
inline std::string_view next_line(std::string_view content, size_t& at) {
  at = std::min(content.find_first_not_of(" \t\r\n", at), content.size());
  const auto end = std::min(content.find('\n', at), content.size());
  const auto line = content.substr(at, end - at);
  at = end;
  return line;
}

// JSON lines, which are told by their first two, or one JSON object or list.
inline std::string json_in(std::string_view content) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  size_t at = 0;
  const auto first = next_line(content, at), second = next_line(content, at);
  const auto is_json = [](std::string_view text) { return nlohmann::json::accept(text.begin(), text.end()); };
  if (first.starts_with('{') && second.starts_with('{') && is_json(first) && is_json(second)) return "JSON lines";
  return (first.starts_with('{') || first.starts_with('[')) && is_json(content) ? "JSON" : "";
}

// What a file is that is no plain text, and what to do with it; empty: it is plain text.
inline std::string refusal_of(std::string_view content) {
  if (const auto format = known_format(content); !format.empty()) {
    if (format.ends_with("UTF-16")) return "is " + format + "; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)";
    return "is " + format + "; extract its text to a .txt file";
  }
  if (content.find('\0') != std::string_view::npos)
    return "is a binary file, for it contains bytes of value 0; extract its text to a .txt file";
  if (const auto json = json_in(content); !json.empty())
    return "is " + json +
           "; extract its text to a .txt file (jq -r .text FILE for a key 'text'), or train on the structure itself "
           "with the dataset code and its 'endings'";
  return "";
}

}  // namespace assay::dataset
