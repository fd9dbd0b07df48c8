// A run's tokenizer in the format of the library tokenizers: tokenizer.json has a token for every row of the model,
// special tokens included. tokenizer_config.json names the class that uses this file unchanged; without it
// AutoTokenizer chooses a class by the model's type (GPT2Tokenizer, for MPT GPTNeoXTokenizer), which adds its own
// tokens.
#pragma once

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../../shared/byte_letters.h"
#include "assay/component.h"
#include "assay/exchange.h"

namespace {

using assay::UserError;
using nlohmann::json;

inline std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw UserError(file + ": cannot be read");
  return text.str();
}

// The merges of vocab.bpe: all lines but the first. The library tokenizers considers the pairs that a merge makes at
// once, GPT-2's encoder and bpe after the round. They differ only where a merge makes a token that an earlier merge
// uses, which trained vocabularies never do.
inline std::vector<std::string> merges_of(const std::string& file) {
  std::vector<std::string> merges;
  std::set<std::string> taken;
  std::istringstream lines(content_of(file));
  std::string line;
  std::getline(lines, line);  // #version
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const auto space = line.find(' ');
    if (space == std::string::npos) continue;
    const auto left = line.substr(0, space), right = line.substr(space + 1);
    if (taken.count(left + right))
      throw UserError(
          file + ": the merge '" + line +
          "' makes a token that an earlier merge uses, for which the library tokenizers gives other ids; export " +
          "with tokenizer=false");
    taken.insert({left, right});
    merges.push_back(line);
  }
  return merges;
}

inline json added_token(const std::string& name, int64_t id) {
  return {{"id", id},        {"content", name},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// longest: the model's longest input, in tokens.
inline std::map<std::string, std::string> tokenizer_files(const assay::OwnModel& own, int64_t longest) {
  const auto given = json::parse(own.tokenizer);
  const std::string use = given.at("use");
  json vocabulary = json::object(), merges = json::array();
  if (use == "bytes") {
    const auto letters = letters_of_bytes();
    for (size_t byte = 0; byte < letters.size(); ++byte) vocabulary[letters[byte]] = byte;
  } else if (use == "bpe") {
    vocabulary = json::parse(content_of(given.at("encoder").at("path")));
    merges = merges_of(given.at("merges").at("path"));
  } else {
    throw UserError("tokenizer '" + use +
                    "' cannot be exported to transformers, only 'bytes' and 'bpe' can; export the weights alone with " +
                    "tokenizer=false");
  }
  std::map<int64_t, std::string> special;  // in order of their ids, as the library numbers them
  for (const auto& [name, id] : own.special) special.emplace(id, name);
  auto added = json::array();
  for (const auto& [id, name] : special) added.push_back(added_token(name, id));
  const json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", use == "bpe"}};
  const json tokenizer = {{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens", added},
                          {"normalizer", nullptr},
                          {"pre_tokenizer", byte_level},
                          {"post_processor", nullptr},
                          {"decoder", byte_level},
                          {"model",
                           {{"type", "BPE"},
                            {"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", false},
                            {"vocab", vocabulary},
                            {"merges", merges}}}};
  const json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"bos_token", assay::kEndOfText},
                       {"eos_token", assay::kEndOfText},
                       {"clean_up_tokenization_spaces", false},
                       {"model_max_length", longest}};
  return {{"tokenizer.json", tokenizer.dump() + "\n"}, {"tokenizer_config.json", config.dump(2) + "\n"}};
}

}  // namespace
