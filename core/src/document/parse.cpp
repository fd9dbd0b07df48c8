#include "document/parse.h"

// Some malformed input triggers an assertion inside toml++ 3.3 instead of a parse error; here it is reported as a user
// error. (With NDEBUG, toml++ would tell the compiler that this cannot happen.)
#undef NDEBUG
#include <stdexcept>
namespace {
struct TomlAssertion : std::logic_error {
  using std::logic_error::logic_error;
};
}  // namespace
#define TOML_ASSERT(condition)                         \
  do {                                                 \
    if (!(condition)) throw TomlAssertion(#condition); \
  } while (false)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wterminate"  // inside noexcept functions it terminates the program, as assert does
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "document/key_path.h"

namespace assay::document {
namespace {

constexpr int kMaxNesting = 64;  // far beyond any real file; bounds the recursion over the tree

class Converter {
 public:
  // With `fixed`, every node gets this position (a command-line argument has no lines).
  Converter(Position base, bool fixed, Diagnostics& diagnostics)
      : base_(std::move(base)), fixed_(fixed), diagnostics_(diagnostics) {}

  Node convert(const toml::node& source, const Position& fallback, int depth = 0) {
    Node node{false, position_of(source.source(), fallback)};
    if (depth > kMaxNesting) {
      diagnostics_.add(node.position, fmt_depth());
    } else if (const auto* table = source.as_table()) {
      node.value = convert_table(*table, node.position, depth);
    } else if (const auto* array = source.as_array()) {
      Array items;
      for (const auto& item : *array) items.push_back(convert(item, node.position, depth + 1));
      node.value = std::move(items);
    } else if (const auto* text = source.as_string()) {
      node.value = text->get();
    } else if (const auto* integer = source.as_integer()) {
      node.value = integer->get();
    } else if (const auto* real = source.as_floating_point()) {
      node.value = real->get();
      if (!std::isfinite(real->get()))
        diagnostics_.add(node.position, "inf and nan are not valid values; give a finite number");
    } else if (const auto* flag = source.as_boolean()) {
      node.value = flag->get();
    } else {
      diagnostics_.add(node.position, "dates and times are not valid values; quote the text to make it a string");
    }
    return node;
  }

 private:
  static std::string fmt_depth() { return "values nest deeper than " + std::to_string(kMaxNesting) + " levels"; }

  Position position_of(const toml::source_region& region, const Position& fallback) const {
    if (fixed_) return base_;
    if (region.begin.line == 0) return fallback;
    return {base_.file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  Table convert_table(const toml::table& source, const Position& fallback, int depth) {
    std::vector<std::pair<const toml::key*, const toml::node*>> ordered;  // toml++ sorts by name
    for (const auto& [key, value] : source) ordered.emplace_back(&key, &value);
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
      const auto &left = a.first->source().begin, &right = b.first->source().begin;
      return std::tie(left.line, left.column) < std::tie(right.line, right.column);
    });
    Table table;
    for (const auto& [key, value] : ordered) {
      const auto key_position = position_of(key->source(), fallback);
      add(table, split_key(key->str()), key_position, convert(*value, key_position, depth + 1), depth);
    }
    return table;
  }

  void add(Table& table, const KeyPath& path, const Position& key_position, Node value, int depth) {
    if (depth + static_cast<int>(path.size()) > kMaxNesting) return diagnostics_.add(key_position, fmt_depth());
    Table* at = &table;
    for (size_t i = 0; i + 1 < path.size(); ++i) {
      auto* next = at->find(path[i]);
      if (!next) next = &at->set(path[i], key_position, {Table{}, key_position});
      at = next->as<Table>();
      if (!at)
        return diagnostics_.add(key_position, "key '" + join_key(path) + "' is not valid: '" + path[i] +
                                                  "' already has a value and is not a table");
    }
    place(*at, path.back(), key_position, std::move(value));
  }

  // A table written both as [a] and as "a.b" = .. is one table; any other duplicate is an error.
  void place(Table& table, const std::string& key, const Position& key_position, Node value) {
    auto* existing = table.find(key);
    if (!existing) {
      table.set(key, key_position, std::move(value));
    } else if (existing->is_table() && value.is_table()) {
      for (auto& entry : value.as<Table>()->entries)
        place(*existing->as<Table>(), entry.key, entry.position, std::move(entry.value));
    } else {
      diagnostics_.add(key_position, "key '" + key + "' is given twice");
    }
  }

  Position base_;
  bool fixed_;
  Diagnostics& diagnostics_;
};

bool is_utf8(std::string_view text) {
  try {
    (void)nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

// The assertion has no position, but the shortest prefix of whole lines that triggers it ends at the error.
int first_bad_line(std::string_view text) {
  int line = 1;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1), ++line) {
    try {
      (void)toml::parse(text.substr(0, end));
    } catch (const toml::parse_error&) {
      // the prefix is incomplete
    } catch (const TomlAssertion&) {
      return line;
    }
  }
  return line;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  const Position base{std::make_shared<const std::string>(file), 1, 1};
  try {
    const auto parsed = toml::parse(text, file);
    return Converter(base, false, diagnostics).convert(parsed, base);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    diagnostics.add({base.file, static_cast<int>(begin.line), static_cast<int>(begin.column)},
                    std::string(error.description()));
    return std::nullopt;
  } catch (const TomlAssertion&) {
    diagnostics.add({base.file, first_bad_line(text), 1}, "the file is not valid TOML");
    return std::nullopt;
  }
}

Node parse_argument_value(std::string_view text, const Position& position, Diagnostics& diagnostics) {
  try {
    const auto parsed = toml::parse("value = " + std::string(text));
    if (parsed.size() == 1) return Converter(position, true, diagnostics).convert(*parsed.get("value"), position);
  } catch (const toml::parse_error&) {
    // not TOML: a bare string
  } catch (const TomlAssertion&) {
    // not TOML either
  }
  if (!is_utf8(text)) {
    diagnostics.add(position, "the value is not valid UTF-8");
    return {std::string(), position};
  }
  return {std::string(text), position};
}

}  // namespace assay::document
