// A configuration value with its position in the source. Tables keep the order of the file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "document/position.h"

namespace assay::document {

struct Node;
struct Entry;
using Array = std::vector<Node>;

struct Table {
  std::vector<Entry> entries;

  Node* find(std::string_view key);
  const Node* find(std::string_view key) const;
  Entry* find_entry(std::string_view key);
  const Entry* find_entry(std::string_view key) const;
  Node& set(std::string_view key, const Position& key_position, Node value);  // replaces, or appends
  void erase(std::string_view key);
};

struct Node {
  std::variant<bool, int64_t, double, std::string, Array, Table> value;
  Position position;

  template <class T>
  T* as() {
    return std::get_if<T>(&value);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  bool is_table() const { return as<Table>() != nullptr; }
};

struct Entry {
  std::string key;
  Position position;  // of the key
  Node value;
};

// "the string \"x\"", "the int 3", "a list", "a table": the given value in an error message.
std::string describe(const Node& node);
nlohmann::json to_json(const Node& node);

// The text of a string entry of a table; null when absent or of another type.
const std::string* string_of(const Table& table, std::string_view key);

// {use = "name"} where `node` is the string "name"; other nodes are unchanged.
void expand_component_string(Node& node);

}  // namespace assay::document
