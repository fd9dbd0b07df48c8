// Cells that are lists: their items are joined by '|'.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cells {

// Calls look(item) for the items of a cell; an empty cell has none.
inline void each_item(std::string_view cell, const auto& look) {
  for (size_t begin = 0; !cell.empty() && begin <= cell.size();) {
    const auto end = std::min(cell.find('|', begin), cell.size());
    look(cell.substr(begin, end - begin));
    begin = end + 1;
  }
}

inline std::vector<std::string> items_of(std::string_view cell) {
  std::vector<std::string> items;
  each_item(cell, [&](std::string_view item) { items.emplace_back(item); });
  return items;
}

inline std::string joined(const std::vector<std::string>& items, const char* between) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : between) + item;
  return all;
}

}  // namespace assay::cells
