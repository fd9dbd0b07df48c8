#include "document/key_path.h"

#include <algorithm>
#include <set>

namespace assay::document {

KeyPath split_key(std::string_view text) {
  KeyPath path;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    if (end == begin) return {std::string(text)};
    path.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return path;
}

std::string join_key(const KeyPath& path) {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

KeyPath canonical_path(KeyPath path) {
  if (!path.empty() && path[0] == "positional") path.insert(path.begin(), "model");
  return path;
}

std::string short_name(const KeyPath& canonical) {
  const bool positional = canonical.size() > 1 && canonical[0] == "model" && canonical[1] == "positional";
  return join_key(positional && canonical.size() == 2 ? KeyPath{"positional"} : canonical);
}

bool is_labelled_section(std::string_view name) {
  return name == "objective" || name == "transform" || name == "evaluate" || name == "tracker" || name == "callback" ||
         name == "exchange";
}

std::string label_of(const Node& entry) {
  const auto* table = entry.as<Table>();
  if (!table) return "";
  if (const auto* label = string_of(*table, "label")) return *label;
  const auto* use = string_of(*table, "use");
  return use ? *use : "";
}

Node* find_labelled(Array& entries, std::string_view label) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Node& node) { return label_of(node) == label; });
  return found == entries.end() ? nullptr : &*found;
}

namespace {

// One level down; null when there is no such child.
const Node* child_of(const Node& node, const std::string& part) {
  if (const auto* table = node.as<Table>()) return table->find(part);
  if (const auto* array = node.as<Array>()) return find_labelled(const_cast<Array&>(*array), part);
  return nullptr;
}

}  // namespace

const Node* find_path(const Node& root, const KeyPath& path) {
  const Node* at = &root;
  for (const auto& part : path) {
    at = child_of(*at, part);
    if (!at) return nullptr;
  }
  return at;
}

Position nearest_position(const Node& root, const KeyPath& path) {
  const Node* at = &root;
  Position position = root.position;
  for (const auto& part : path) {
    const auto* table = at->as<Table>();
    const auto* entry = table ? table->find_entry(part) : nullptr;
    at = child_of(*at, part);
    if (!at) break;
    position = entry ? entry->position : at->position;
  }
  return position;
}

namespace {

void collect_words(const Node& node, std::set<std::string>& words) {
  const auto add = [&](const Position& position) {
    if (position.line == 0 && position.file) words.insert(*position.file);
  };
  add(node.position);
  if (const auto* array = node.as<Array>())
    for (const auto& item : *array) collect_words(item, words);
  if (const auto* table = node.as<Table>())
    for (const auto& entry : table->entries) {
      add(entry.position);
      collect_words(entry.value, words);
    }
}

}  // namespace

std::vector<std::string> words_within(const Node& root, const KeyPath& path) {
  std::set<std::string> words;
  if (const auto* node = find_path(root, path)) collect_words(*node, words);
  return {words.begin(), words.end()};
}

}  // namespace assay::document
