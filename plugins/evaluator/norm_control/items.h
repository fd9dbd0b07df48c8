// Held-out documents with what a model wrote about their situations, and what is most frequent in training.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../../shared/norm_views.h"
#include "../rows.h"
#include "assay/dataset.h"

namespace assay::norms {

struct Item {
  Document document;
  View view;
  std::string gold, written;
  std::vector<int32_t> chosen;  // attribute tokens that the model wrote
  bool ended = false;
  int64_t tokens = 0;
};

inline std::string field(const Document& document, size_t column) {
  const auto found = document.fields.find(columns()[column].name);
  return found == document.fields.end() ? "" : found->second;
}
inline std::string situation_of(const Item& item) { return field(item.document, kSituationId); }

// For each item one that is drawn among those about other situations, whose text is the shuffled baseline; null where
// all are about one.
inline std::vector<const Item*> others(const std::vector<Item>& items, const Draws& draws) {
  std::vector<const Item*> other;
  for (size_t i = 0; i < items.size(); ++i) {
    const Item* found = nullptr;
    const auto start = static_cast<size_t>(draws.below(items.size(), i));
    for (size_t step = 0; step < items.size() && !found; ++step) {
      const auto& candidate = items[(start + step) % items.size()];
      if (situation_of(candidate) != situation_of(items[i])) found = &candidate;
    }
    other.push_back(found);
  }
  return other;
}

// The most frequent cell of each attribute in training, and the most frequent list of attribute tokens.
struct Majority {
  std::map<size_t, std::string> cells;  // by column
  std::vector<int32_t> tokens;

  // The order of a list's items has no meaning.
  static std::string sorted(const std::string& cell) {
    auto items = items_of(cell);
    std::sort(items.begin(), items.end());
    return cells::joined(items, "|");
  }
  bool is(size_t column, const std::string& cell) const {
    const auto most = cells.find(column);
    return most != cells.end() && most->second == sorted(cell);
  }
};

inline constexpr int64_t kMostCounted = 20000;  // training documents that are counted

// Counts lists of tokens only with a maker of views.
inline Majority majority_of(const Dataset& dataset, const ViewMaker* maker) {
  std::map<size_t, std::map<std::string, int64_t>> counts;
  std::map<std::vector<int32_t>, int64_t> lists;
  for (const auto index : evaluation::evenly_spaced(dataset.size(Split::kTrain), kMostCounted)) {
    const auto document = dataset.document(Split::kTrain, index);
    for (size_t column = 0; column < kColumns; ++column)
      if (document.fields.count(columns()[column].name)) ++counts[column][Majority::sorted(field(document, column))];
    if (maker) ++lists[maker->attribute_tokens(document)];
  }
  const auto most = [](const auto& all) {
    return std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  };
  Majority majority;
  for (const auto& [column, all] : counts) majority.cells[column] = most(all)->first;
  if (!lists.empty()) majority.tokens = most(lists)->first;
  return majority;
}

}  // namespace assay::norms
