#include "document/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/nearest.h"

namespace assay::document {
namespace {

struct Number {
  bool is_int = true;
  int64_t integer = 0;
  double real = 0;  // always the value, also of an int

  static Number of(int64_t value) { return {true, value, static_cast<double>(value)}; }
  static Number of(double value) { return {false, 0, value}; }
};

struct Failure {
  Position position;
  std::string message;
};

constexpr size_t kMaxExpressionDepth =
    100;  // of parentheses in one expression, and of expressions that refer to others

class Evaluator;

// Recursive descent over one expression; throws Failure.
class Parser {
 public:
  Parser(Evaluator& evaluator, std::string_view text, const Position& position)
      : evaluator_(evaluator), text_(text), position_(position) {}

  Number parse() {
    ++at_;  // the "="
    const auto value = sum();
    if (peek() != '\0')
      fail(fmt::format("'{}' is unexpected; the expression must end or continue with an operator", text_.substr(at_)));
    return value;
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char symbol) {
    if (peek() != symbol) return false;
    ++at_;
    return true;
  }
  // The position of the string is its opening quote.
  Position here(size_t offset) const {
    auto position = position_;
    if (position.line > 0) position.column += static_cast<int>(offset) + 1;
    return position;
  }
  [[noreturn]] void fail(const std::string& what) const { fail_at(at_, what); }
  [[noreturn]] void fail_at(size_t offset, const std::string& what) const {
    throw Failure{here(offset), fmt::format("in \"{}\": {}", text_, what)};
  }

  Number sum() {
    auto left = product();
    for (;;) {
      if (take('+')) {
        left = combine('+', left, product());
      } else if (take('-')) {
        left = combine('-', left, product());
      } else {
        return left;
      }
    }
  }

  Number product() {
    auto left = factor();
    for (;;) {
      const size_t operator_at = (peek(), at_);
      if (take('*')) {
        left = combine('*', left, factor());
      } else if (take('/')) {
        const auto right = factor();
        if (right.real == 0) fail_at(operator_at, "division by zero");
        left = combine('/', left, right);
      } else {
        return left;
      }
    }
  }

  Number factor() {
    if (++nesting_ > kMaxExpressionDepth)
      fail(fmt::format("the expression nests deeper than {} levels", kMaxExpressionDepth));
    const auto value = unguarded_factor();
    --nesting_;
    return value;
  }

  Number unguarded_factor() {
    const char next = peek();
    if (take('-')) return combine('-', Number::of(int64_t{0}), factor());
    if (take('(')) {
      const auto value = sum();
      if (!take(')')) fail("a ')' is missing");
      return value;
    }
    if ((next >= '0' && next <= '9') || next == '.') return literal();
    if (is_word(next)) return word();
    fail(next == '\0' ? "a number or a key is missing at the end"
                      : fmt::format("'{}' is not a valid number or key", next));
  }

  static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

  Number literal() {
    size_t end = at_;
    const auto is_part = [&](size_t i) {
      const char c = text_[i];
      const bool sign = (c == '+' || c == '-') && (text_[i - 1] == 'e' || text_[i - 1] == 'E');
      return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || sign;
    };
    while (end < text_.size() && is_part(end)) ++end;
    const auto part = text_.substr(at_, end - at_);
    int64_t integer = 0;
    double real = 0;
    const auto whole = std::from_chars(part.begin(), part.end(), integer);
    const auto any = std::from_chars(part.begin(), part.end(), real);
    if (any.ec != std::errc() || any.ptr != part.end()) fail(fmt::format("'{}' is not a valid number", part));
    at_ = end;
    return whole.ec == std::errc() && whole.ptr == part.end() ? Number::of(integer) : Number::of(real);
  }

  Number word() {
    const size_t begin = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.' || (text_[at_] >= '0' && text_[at_] <= '9')))
      ++at_;
    const auto name = text_.substr(begin, at_ - begin);
    return peek() == '(' ? call(name, begin) : reference(name, begin);
  }

  Number reference(std::string_view name, size_t begin);

  Number call(std::string_view name, size_t begin) {
    static const std::vector<std::string> kFunctions{"ceil", "floor", "max", "min", "pow", "round", "sqrt"};
    if (std::find(kFunctions.begin(), kFunctions.end(), name) == kFunctions.end())
      fail_at(begin, fmt::format("unknown function '{}'{}", name, base::suggestion(name, kFunctions, "available: ")));
    take('(');
    std::vector<Number> values{sum()};
    while (take(',')) values.push_back(sum());
    if (!take(')')) fail("a ')' is missing");
    const auto less = [](const Number& a, const Number& b) { return a.real < b.real; };
    if (name == "min") return *std::min_element(values.begin(), values.end(), less);
    if (name == "max") return *std::max_element(values.begin(), values.end(), less);
    if (name == "pow") {
      if (values.size() != 2) fail_at(begin, "function 'pow' takes two arguments, a base and an exponent");
      return finite(std::pow(values[0].real, values[1].real), name, begin);
    }
    if (values.size() != 1) fail_at(begin, fmt::format("function '{}' takes one argument", name));
    if (name == "sqrt") return finite(std::sqrt(values[0].real), name, begin);
    if (values[0].is_int) return values[0];
    const double rounded = name == "floor"  ? std::floor(values[0].real)
                           : name == "ceil" ? std::ceil(values[0].real)
                                            : std::round(values[0].real);
    return std::abs(rounded) < 9e15 ? Number::of(static_cast<int64_t>(rounded)) : Number::of(rounded);
  }

  Number finite(double value, std::string_view name, size_t begin) const {
    if (!std::isfinite(value)) fail_at(begin, fmt::format("'{}' of these numbers is not a finite number", name));
    return Number::of(value);
  }

  Number combine(char symbol, const Number& a, const Number& b) const {
    int64_t exact = 0;
    if (a.is_int && b.is_int) {
      if (symbol == '+' && !__builtin_add_overflow(a.integer, b.integer, &exact)) return Number::of(exact);
      if (symbol == '-' && !__builtin_sub_overflow(a.integer, b.integer, &exact)) return Number::of(exact);
      if (symbol == '*' && !__builtin_mul_overflow(a.integer, b.integer, &exact)) return Number::of(exact);
      // Division by -1 is a special case: the smallest int divided by -1 overflows.
      if (symbol == '/' && b.integer != -1 && a.integer % b.integer == 0) return Number::of(a.integer / b.integer);
      if (symbol == '/' && b.integer == -1) return combine('-', Number::of(int64_t{0}), a);
    }
    const double real = symbol == '+'   ? a.real + b.real
                        : symbol == '-' ? a.real - b.real
                        : symbol == '*' ? a.real * b.real
                                        : a.real / b.real;
    if (!std::isfinite(real)) fail("the result is too large");
    return Number::of(real);
  }

  Evaluator& evaluator_;
  std::string_view text_;
  const Position& position_;
  size_t at_ = 0;
  size_t nesting_ = 0;
};

// The location of a value: its key in a table or its index in a list, and its parent.
struct Place {
  const Place* parent;
  const std::string* key;  // null in a list
  size_t index;
  const Node& node;
};

KeyPath path_of(const Place& place) {
  if (!place.parent) return {*place.key};
  auto path = path_of(*place.parent);
  if (place.key)
    path.push_back(*place.key);
  else
    path.push_back(path.size() == 1 && is_labelled_section(path[0]) ? label_of(place.node)
                                                                    : std::to_string(place.index));
  return path;
}

// Evaluates all expressions of one document; tracks which keys are being evaluated.
class Evaluator {
 public:
  Evaluator(Node& document, const KnownKeys& keys, Diagnostics& diagnostics)
      : document_(document), keys_(keys), diagnostics_(diagnostics) {}

  void visit(Node& node, const Place& place) {
    if (auto* table = node.as<Table>()) {
      for (auto& entry : table->entries) visit(entry.value, {&place, &entry.key, 0, entry.value});
    } else if (auto* array = node.as<Array>()) {
      for (size_t i = 0; i < array->size(); ++i) visit((*array)[i], {&place, nullptr, i, (*array)[i]});
    } else if (is_expression(node) && !keys_.is_text(path_of(place))) {
      try {
        evaluate(node);
      } catch (const Failure& failure) {
        diagnostics_.add(failure.position, failure.message);
        node.value = int64_t{1};  // already reported; a number satisfies the type check
      }
    }
  }

  Number value_of(const KeyPath& path, const std::string& name, std::string_view text, const Position& position) {
    auto* node = const_cast<Node*>(find_path(document_, path));
    std::optional<Node> fallback;
    if (!node && (fallback = keys_.default_of(path))) node = &*fallback;
    if (!node) {
      throw Failure{position, fmt::format("in \"{}\": unknown key '{}'{}", text, name,
                                          base::suggestion(path.back(), siblings(path), "available: "))};
    }
    if (is_expression(*node) && !keys_.is_text(path)) {
      if (open_.count(node)) throw Failure{position, fmt::format("in \"{}\": '{}' depends on itself", text, name)};
      if (open_.size() > kMaxExpressionDepth)
        throw Failure{position, fmt::format("in \"{}\": '{}' depends on more than {} nested expressions", text, name,
                                            kMaxExpressionDepth)};
      evaluate(*node);
    }
    if (const auto* integer = node->as<int64_t>()) return Number::of(*integer);
    if (const auto* real = node->as<double>()) return Number::of(*real);
    throw Failure{position, fmt::format("in \"{}\": '{}' must be a number, but is {}", text, name, describe(*node))};
  }

 private:
  void evaluate(Node& node) {
    const std::string text = *node.as<std::string>();
    open_.insert(&node);
    struct Close {
      std::set<const Node*>& open;
      const Node* node;
      ~Close() { open.erase(node); }
    } close{open_, &node};
    const auto number = Parser(*this, text, node.position).parse();
    if (number.is_int) {
      node.value = number.integer;
    } else {
      node.value = number.real;
    }
  }

  std::vector<std::string> siblings(KeyPath path) const {
    path.pop_back();
    const auto* parent = find_path(document_, path);
    std::vector<std::string> names;
    if (parent && parent->is_table())
      for (const auto& entry : parent->as<Table>()->entries) names.push_back(entry.key);
    return names;
  }

  Node& document_;
  const KnownKeys& keys_;
  Diagnostics& diagnostics_;
  std::set<const Node*> open_;
};

Number Parser::reference(std::string_view name, size_t begin) {
  return evaluator_.value_of(canonical_path(split_key(name)), std::string(name), text_, here(begin));
}

}  // namespace

bool is_expression(const Node& node) {
  const auto* text = node.as<std::string>();
  return text && text->starts_with('=');
}

void evaluate_expressions(Node& document, const KnownKeys& keys, Diagnostics& diagnostics) {
  Evaluator evaluator(document, keys, diagnostics);
  for (auto& entry : document.as<Table>()->entries) {
    const auto& name = entry.key;
    if (name != "experiment" && name != "sweep" && name != "compare" && name != "claim" && name != "figure" &&
        name != "prune")
      evaluator.visit(entry.value, {nullptr, &entry.key, 0, entry.value});
  }
}

}  // namespace assay::document
