// GPT-2's two files: encoder.json (every token's id) and vocab.bpe (the merges, best first). Tokens are spelled in
// the letters of their bytes.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../shared/byte_letters.h"
#include "assay/component.h"

namespace {

struct Merge {
  int32_t rank, id;  // position in the list, from 0; the token that it makes
};

struct BytePairs {
  std::array<int32_t, 256> id_of_byte;
  std::unordered_map<uint64_t, Merge> merges;  // by pair(left, right)
  std::vector<std::string> bytes_of_id;        // empty for the end of text
  std::optional<int32_t> end_of_text;

  static uint64_t pair(int32_t left, int32_t right) {
    return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
  }
};

class VocabularyFiles {
 public:
  VocabularyFiles(const std::string& encoder, const std::string& merges) : encoder_(encoder), merges_(merges) {}

  BytePairs read() const {
    const auto ids = read_ids();
    BytePairs out;
    out.bytes_of_id.resize(ids.size());
    std::vector<bool> made(ids.size());  // by a merge, or as a byte
    const auto letters = letters_of_bytes();
    for (size_t byte = 0; byte < 256; ++byte) {
      const auto found = ids.find(letters[byte]);
      if (found == ids.end())
        corrupt(encoder_, "has no token for byte " + std::to_string(byte) + " ('" + letters[byte] + "')");
      out.id_of_byte[byte] = found->second;
      out.bytes_of_id[static_cast<size_t>(found->second)] = std::string(1, static_cast<char>(byte));
      made[static_cast<size_t>(found->second)] = true;
    }
    read_merges(ids, out, made);
    for (const auto& [token, id] : ids)
      if (token == assay::kEndOfText && !made[static_cast<size_t>(id)])
        out.end_of_text = id;
      else if (!made[static_cast<size_t>(id)])
        corrupt(merges_, "has no merge that makes the token '" + token + "' of " + encoder_);
    return out;
  }

 private:
  using Ids = std::map<std::string, int32_t>;

  [[noreturn]] static void corrupt(const std::string& file, const std::string& what) {
    throw assay::UserError("bpe: " + file + " " + what +
                           "; the file is corrupt, or the two files are swapped or do not belong together");
  }

  static std::string content_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream || !std::filesystem::is_regular_file(file))
      throw assay::UserError("bpe: cannot read " + file + "; does it exist, and is it a file?");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  // Every id from 0 on exists once.
  Ids read_ids() const {
    const auto json = nlohmann::json::parse(content_of(encoder_), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.empty()) corrupt(encoder_, "is not a JSON object of tokens and their ids");
    Ids ids;
    std::vector<bool> taken(json.size());
    for (const auto& [token, id] : json.items()) {
      if (!id.is_number_unsigned() || id >= taken.size())
        corrupt(encoder_, "gives the token '" + token + "' the id " + id.dump() + "; ids must be 0 to " +
                              std::to_string(taken.size() - 1));
      const auto value = id.get<size_t>();
      if (taken[value]) corrupt(encoder_, "gives the id " + id.dump() + " twice");
      taken[value] = true;
      ids.emplace(token, static_cast<int32_t>(value));
    }
    return ids;
  }

  void read_merges(const Ids& ids, BytePairs& out, std::vector<bool>& made) const {
    const auto text = content_of(merges_);
    std::string_view rest = text;
    constexpr std::string_view kVersion = "#version:";
    for (int line = 1; !rest.empty(); ++line) {
      const auto end = rest.find('\n');
      auto row = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (row.ends_with('\r')) row.remove_suffix(1);
      if (line == 1 && !row.starts_with(kVersion)) corrupt(merges_, "does not begin with '#version:'");
      if (line == 1 || row.empty()) continue;
      const auto at = merges_ + ":" + std::to_string(line);
      const auto space = row.find(' ');
      if (space == std::string_view::npos || row.find(' ', space + 1) != std::string_view::npos)
        corrupt(at, "is not two tokens separated by a space");
      const auto id_of = [&](const std::string& token, const char* what) {
        const auto found = ids.find(token);
        if (found == ids.end()) corrupt(at, what + (" '" + token) + "', which is not in " + encoder_);
        return found->second;
      };
      const std::string left(row.substr(0, space)), right(row.substr(space + 1));
      const auto first = id_of(left, "merges"), second = id_of(right, "merges"), whole = id_of(left + right, "makes");
      if (!made[static_cast<size_t>(first)] || !made[static_cast<size_t>(second)])
        corrupt(at, "merges a token that no earlier line makes");
      const Merge merge{static_cast<int32_t>(out.merges.size()), whole};
      if (!out.merges.emplace(BytePairs::pair(first, second), merge).second) corrupt(at, "repeats an earlier merge");
      out.bytes_of_id[static_cast<size_t>(whole)] =
          out.bytes_of_id[static_cast<size_t>(first)] + out.bytes_of_id[static_cast<size_t>(second)];
      made[static_cast<size_t>(whole)] = true;
    }
    if (out.merges.empty()) corrupt(merges_, "contains no merges");
  }

  std::string encoder_, merges_;
};

}  // namespace
