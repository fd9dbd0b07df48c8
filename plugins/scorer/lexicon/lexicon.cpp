// A list of words as a judge: a text that has one of them scores 1. For generated worlds, whose toxic words are known.
#include <algorithm>
#include <set>

#include "../../shared/dialogue_truth.h"
#include "assay/plugin.h"
#include "assay/scorer.h"

namespace {

using assay::UserError;

class Lexicon final : public assay::Scorer {
 public:
  struct Config {
    std::vector<std::string> words;
  };
  static void describe(auto& schema) {
    schema.doc("1 for a text with a word of a list, else 0; each such word has an equal part in it.")
        .param("words", &Config::words,
               "The words; a text is divided by white space, without regard to case. Empty: the toxic words of the "
               "generated world that the run is trained on.");
  }
  explicit Lexicon(const Config& config) : by_dataset_(config.words.empty()) {
    for (const auto& word : config.words) words_.insert(lower(word));
  }

  std::vector<double> score(assay::EvaluationContext& context, const std::vector<std::string>& texts) override {
    ask(context);
    std::vector<double> scores;
    for (const auto& text : texts) scores.push_back(places(text).empty() ? 0 : 1);
    return scores;
  }
  std::vector<assay::Attribution> attribute(assay::EvaluationContext& context, const std::string& text) override {
    ask(context);
    auto found = places(text);
    for (auto& one : found) one.value = 1.0 / static_cast<double>(found.size());
    return found;
  }
  std::string judge() const override {
    if (by_dataset_) return "lexicon of the dataset";
    std::string all = "lexicon:";
    for (const auto& word : words_) all += " " + word;
    return all;
  }

 private:
  // The words that the dataset marks.
  void ask(assay::EvaluationContext& context) {
    if (!words_.empty()) return;
    words_ = assay::dialogue::truth_of(context.dataset()).toxic;
    if (words_.empty())
      throw UserError("words: the dataset marks no word as toxic, so a lexicon needs its words; list them");
  }
  static std::string lower(std::string text) {
    for (auto& letter : text)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return text;
  }
  std::vector<assay::Attribution> places(const std::string& text) const {
    std::vector<assay::Attribution> found;
    for (size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find_first_of(" \t\n\r", begin), text.size());
      if (end > begin && words_.count(lower(text.substr(begin, end - begin))))
        found.push_back({static_cast<int64_t>(begin), static_cast<int64_t>(end), 0});
      begin = end + 1;
    }
    return found;
  }

  bool by_dataset_;
  std::set<std::string> words_;  // in lower case
};

}  // namespace

ASSAY_PLUGIN("lexicon", "1.1.0", assay::component<Lexicon>("lexicon"))
