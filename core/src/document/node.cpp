#include "document/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay::document {

const Entry* Table::find_entry(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}
Entry* Table::find_entry(std::string_view key) { return const_cast<Entry*>(std::as_const(*this).find_entry(key)); }
const Node* Table::find(std::string_view key) const {
  const auto* entry = find_entry(key);
  return entry ? &entry->value : nullptr;
}
Node* Table::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Table::set(std::string_view key, const Position& key_position, Node value) {
  if (auto* entry = find_entry(key)) {
    entry->position = key_position;
    entry->value = std::move(value);
    return entry->value;
  }
  entries.push_back({std::string(key), key_position, std::move(value)});
  return entries.back().value;
}

void Table::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& entry) { return entry.key == key; });
}

std::string describe(const Node& node) {
  struct Words {
    std::string operator()(bool value) const { return fmt::format("the bool {}", value); }
    std::string operator()(int64_t value) const { return fmt::format("the int {}", value); }
    std::string operator()(double value) const { return fmt::format("the real {}", nlohmann::json(value).dump()); }
    std::string operator()(const std::string& value) const { return fmt::format("the string \"{}\"", value); }
    std::string operator()(const Array&) const { return "a list"; }
    std::string operator()(const Table&) const { return "a table"; }
  };
  return std::visit(Words{}, node.value);
}

nlohmann::json to_json(const Node& node) {
  if (const auto* array = node.as<Array>()) {
    auto json = nlohmann::json::array();
    for (const auto& item : *array) json.push_back(to_json(item));
    return json;
  }
  if (const auto* table = node.as<Table>()) {
    auto json = nlohmann::json::object();
    for (const auto& entry : table->entries) json[entry.key] = to_json(entry.value);
    return json;
  }
  if (const auto* flag = node.as<bool>()) return *flag;
  if (const auto* integer = node.as<int64_t>()) return *integer;
  if (const auto* real = node.as<double>()) return *real + 0.0;  // zero has no sign
  return std::get<std::string>(node.value);
}

const std::string* string_of(const Table& table, std::string_view key) {
  const auto* node = table.find(key);
  return node ? node->as<std::string>() : nullptr;
}

void expand_component_string(Node& node) {
  if (!node.as<std::string>()) return;
  const auto position = node.position;
  Table table;
  table.set("use", position, std::move(node));
  node = {std::move(table), position};
}

}  // namespace assay::document
