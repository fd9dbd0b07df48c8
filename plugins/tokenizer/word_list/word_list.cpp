// Words of a list as tokens, for worlds with a small vocabulary. A space between two words of the list needs no token;
// whatever else a text has is bytes, which come after the words, or is refused.
#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

using assay::UserError;

class WordList final : public assay::Tokenizer {
 public:
  struct Config {
    assay::Path vocabulary;
    bool bytes = true;
  };
  static void describe(auto& schema) {
    schema.doc("Every word of a list is a token, and other bytes are.")
        .required("vocabulary", &Config::vocabulary, "A file with one word per line; the words have no white space.")
        .param("bytes", &Config::bytes,
               "Whether 256 tokens for bytes follow the words; otherwise a text with anything but words of the list, "
               "each after one space, is an error.");
  }
  explicit WordList(const Config& config) : bytes_(config.bytes) {
    std::ifstream file(config.vocabulary.file);
    if (!file) throw UserError("word_list: cannot read " + config.vocabulary.file + "; it must be a file that exists");
    int64_t number = 0;
    for (std::string line; std::getline(file, line);) {
      const auto where = "word_list: " + config.vocabulary.file + ":" + std::to_string(++number) + ": ";
      if (line.empty() || line.find_first_of(" \t\r\n\v\f") != std::string::npos)
        throw UserError(where + "a word must not be empty or have white space; write one word per line");
      if (!ids_.emplace(line, static_cast<int32_t>(words_.size())).second)
        throw UserError(where + "the word '" + line + "' is there twice; remove one of the two");
      words_.push_back(line);
    }
    if (words_.empty()) throw UserError("word_list: " + config.vocabulary.file + " has no words");
  }

  int64_t size() const override { return words() + (bytes_ ? 256 : 0); }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    bool after_word = false;
    for (size_t at = 0; at < text.size();) {
      // A word of the list, after nothing or after a byte; or after one space that follows a word.
      const auto begin = after_word && text[at] == ' ' ? at + 1 : at;
      const bool may_begin = at == begin ? at == 0 || text[at - 1] == ' ' : true;
      const auto end = std::min(text.find(' ', begin), text.size());
      const auto found = may_begin && (begin > at || !after_word)
                             ? ids_.find(std::string(text.substr(begin, end - begin)))
                             : ids_.end();
      after_word = found != ids_.end();
      if (after_word) {
        ids.push_back(found->second);
        at = end;
        continue;
      }
      if (!bytes_)
        throw UserError("word_list: the text has '" +
                        std::string(text.substr(begin, std::min<size_t>(end - begin, 40))) + "' at byte " +
                        std::to_string(begin) +
                        ", which is not a word of the list after one space; set bytes = true, or add the word");
      ids.push_back(static_cast<int32_t>(words() + static_cast<unsigned char>(text[at++])));
    }
    return ids;
  }

  std::string decode(const std::vector<int32_t>& ids) const override {
    std::string text;
    bool after_word = false;
    for (const int64_t id : ids) {
      const bool is_word = id >= 0 && id < words();
      if (is_word)
        text += (after_word ? " " : "") + words_[static_cast<size_t>(id)];
      else if (bytes_ && id >= words() && id < size())
        text += static_cast<char>(id - words());
      else
        continue;  // special tokens
      after_word = is_word;
    }
    return text;
  }

 private:
  int64_t words() const { return static_cast<int64_t>(words_.size()); }

  bool bytes_;
  std::vector<std::string> words_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace

ASSAY_PLUGIN("word_list", "1.0.0", assay::component<WordList>("word_list"))
