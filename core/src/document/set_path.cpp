#include "document/set_path.h"

#include <fmt/format.h>

#include "base/nearest.h"
#include "document/merge.h"

namespace assay::document {
namespace {

std::vector<std::string> labels(const Array& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(label_of(entry));
  return names;
}

}  // namespace

void set_path(Node& root, const KeyPath& path, const Position& key_position, Node value, Diagnostics& diagnostics) {
  Node* at = &root;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool last = i + 1 == path.size();
    if (auto* entries = at->as<Array>(); entries && i == 1 && is_labelled_section(path[0])) {
      at = find_labelled(*entries, path[1]);
      if (!at) {
        return diagnostics.add(key_position, fmt::format("no [[{}]] is labelled '{}'{}", path[0], path[1],
                                                         base::suggestion(path[1], labels(*entries), "available: ")));
      }
      if (last) {
        merge_value(*at, std::move(value), diagnostics);
        if (at->is_table() && label_of(*at) != path[1])  // it replaces that entry, so it keeps its label
          at->as<Table>()->set("label", key_position, {path[1], key_position});
        return;
      }
      continue;
    }
    expand_component_string(*at);
    auto* table = at->as<Table>();
    if (!table) {
      const KeyPath parent(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i));
      return diagnostics.add(key_position, fmt::format("'{}' must be a table to have a key '{}', but is {}",
                                                       join_key(parent), path[i], describe(*at)));
    }
    if (last && i == 1 && path[0] == "train" && is_budget(path[1])) drop_other_budgets(*table, path[1]);
    auto* entry = table->find_entry(path[i]);
    if (!entry && i == 0 && !last && is_labelled_section(path[0]))
      return diagnostics.add(key_position, fmt::format("no [[{}]] is labelled '{}'", path[0], path[1]));
    if (!entry) {
      table->set(path[i], key_position, last ? std::move(value) : Node{Table{}, key_position});
      if (last) return;
      at = table->find(path[i]);
      continue;
    }
    // A table of which the command line sets a part keeps its position in the file: another argument may set another
    // part.
    if (last || key_position.line != 0) entry->position = key_position;
    if (last) return merge_value(entry->value, std::move(value), diagnostics);
    at = &entry->value;
  }
}

}  // namespace assay::document
