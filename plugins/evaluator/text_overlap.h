// Overlap of a hypothesis with references. BLEU: Papineni et al. 2002, ACL, sec. 2.3, of one sentence, with matches
// smoothed as method 1 of Chen and Cherry 2014, WMT, sec. 3; its values are those of NLTK's sentence_bleu. ROUGE-L: Lin
// 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", sec. 3.1 with beta 1; its values are rouge-score's.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::overlap {

using Words = std::vector<std::string>;

// Lower case of the letters below U+0100, and of the only two others whose lower case has an ASCII letter. Python's
// str.lower knows more letters: a capital of Greek or Cyrillic, and one such as U+0141, stays as it is here.
inline std::string lower(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto one = static_cast<unsigned char>(text[i]);
    const bool is_capital = (one >= 'A' && one <= 'Z') ||  // or, after the byte C3, one of U+00C0 to U+00DE
                            (i > 0 && text[i - 1] == '\xC3' && one >= 0x80 && one <= 0x9E && one != 0x97);
    if (is_capital) {
      result += static_cast<char>(one + ('a' - 'A'));
    } else if (text.substr(i).starts_with("\u0130")) {
      result += "i\u0307";
      i += 1;
    } else if (text.substr(i).starts_with("\u212A")) {  // the kelvin sign
      result += 'k';
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

// The bytes of the white space that the text starts with; 0 where it starts with another character. Python's
// str.isspace: it includes the separators U+001C to U+001F.
inline size_t space_length(std::string_view text) {
  const char first = text.front();
  if (first == ' ' || (first >= '\t' && first <= '\r') || (first >= '\x1C' && first <= '\x1F')) return 1;
  static constexpr std::array<std::string_view, 19> kOthers = {
      "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  if (first != '\xC2' && (first < '\xE1' || first > '\xE3')) return 0;
  for (const auto other : kOthers)
    if (text.starts_with(other)) return other.size();
  return 0;
}

inline Words split(std::string_view text) {
  Words words;
  bool is_inside = false;
  for (size_t i = 0; i < text.size();) {
    const auto space = space_length(text.substr(i));
    if (space == 0) {
      if (!is_inside) words.emplace_back();
      words.back() += text[i];
    }
    is_inside = space == 0;
    i += std::max<size_t>(space, 1);
  }
  return words;
}

// The words that bleu4 compares: text.lower().split() of Python, up to the letters that `lower` leaves.
inline Words lower_words(std::string_view text) { return split(lower(text)); }

inline std::map<Words, int64_t> count_ngrams(const Words& words, size_t n) {
  std::map<Words, int64_t> counts;
  for (size_t i = 0; i + n <= words.size(); ++i) ++counts[Words(words.data() + i, words.data() + i + n)];
  return counts;
}

// log BP = min(0, 1 - r / c) with the closest length r of a reference, and the shorter one of two that are as close.
inline double log_brevity_penalty(const std::vector<Words>& references, const Words& hypothesis) {
  const auto length = static_cast<int64_t>(hypothesis.size());
  std::vector<std::pair<int64_t, int64_t>> distances;
  distances.reserve(references.size());
  for (const auto& reference : references) {
    const auto other = static_cast<int64_t>(reference.size());
    distances.emplace_back(std::abs(other - length), other);
  }
  const auto closest = std::min_element(distances.begin(), distances.end())->second;
  return std::min(0.0, 1 - static_cast<double>(closest) / static_cast<double>(length));
}

// Between 0 and 1; 0 where no word matches, and so without words or references. A hypothesis of fewer than four words
// has no n-grams of some orders: these have the smoothed precision kEpsilon / 1.
inline double bleu4(const std::vector<Words>& references, const Words& hypothesis) {
  constexpr double kEpsilon = 0.1;  // replaces a count of 0 matches
  constexpr size_t kOrders = 4;
  double log_precision = 0;
  for (size_t n = 1; n <= kOrders; ++n) {
    std::vector<std::map<Words, int64_t>> counts_of_references;
    counts_of_references.reserve(references.size());
    for (const auto& reference : references) counts_of_references.push_back(count_ngrams(reference, n));
    int64_t matches = 0, all = 0;
    for (const auto& [ngram, count] : count_ngrams(hypothesis, n)) {
      int64_t most = 0;  // an n-gram matches as often as it occurs in the reference with most of it
      for (const auto& counts : counts_of_references)
        if (const auto found = counts.find(ngram); found != counts.end()) most = std::max(most, found->second);
      matches += std::min(count, most);
      all += count;
    }
    if (n == 1 && matches == 0) return 0;
    const auto smoothed = matches == 0 ? kEpsilon : static_cast<double>(matches);
    log_precision += std::log(smoothed / static_cast<double>(std::max<int64_t>(all, 1))) / kOrders;
  }
  return std::exp(log_brevity_penalty(references, hypothesis) + log_precision);
}

// The words that rouge_l compares: every character but a-z and 0-9 separates, in the middle of a word too.
inline Words alphanumeric_words(std::string_view text) {
  auto all = lower(text);
  for (auto& one : all)
    if (!(one >= 'a' && one <= 'z') && !(one >= '0' && one <= '9')) one = ' ';
  return split(all);
}

inline int64_t longest_common_subsequence(const Words& a, const Words& b) {
  std::vector<int64_t> lengths(b.size() + 1);  // of the a so far and each prefix of b
  for (const auto& word : a) {
    int64_t diagonal = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      const auto above = lengths[j + 1];
      lengths[j + 1] = word == b[j] ? diagonal + 1 : std::max(above, lengths[j]);
      diagonal = above;
    }
  }
  return lengths.back();
}

struct Overlap {
  double precision = 0, recall = 0, f = 0;  // each between 0 and 1
};

// All zeros where nothing matches, and so where a text has no words.
inline Overlap rouge_l(std::string_view reference, std::string_view hypothesis) {
  const auto expected = alphanumeric_words(reference), given = alphanumeric_words(hypothesis);
  const auto common = static_cast<double>(longest_common_subsequence(expected, given));
  if (common == 0) return {};
  const auto precision = common / static_cast<double>(given.size());
  const auto recall = common / static_cast<double>(expected.size());
  return {precision, recall, 2 * precision * recall / (precision + recall)};
}

}  // namespace assay::overlap
