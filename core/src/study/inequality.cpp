#include "study/inequality.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "base/nearest.h"

namespace assay::study {
namespace {

constexpr const char* kGrammar =
    "[k *] side op [k *] (side or number) [+- number], where a side is left or right and op is <, >, or = with 'within "
    "M' at the end; for instance \"left < right - 0.5\"";

// factor * side, or a number (side is empty, and the factor is the number).
struct Term {
  double factor = 1;
  std::string side;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Inequality read() {
    const auto first = term();
    const auto relation = op();
    auto second = term();
    double offset = 0;
    if (at('+') || at('-')) {
      const double sign = take() == '+' ? 1 : -1;
      (second.side.empty() ? second.factor : offset) += sign * number();
    }
    Inequality inequality;
    if (relation == Relation::kEqual) {
      if (word() != "within") throw fail("'=' needs 'within M', the margin up to which sides count as equal");
      inequality.within = number();
      if (!(inequality.within > 0)) throw fail("the margin of 'within' must be more than 0");
    }
    skip();
    if (!text_.empty()) throw fail(fmt::format("'{}' is unexpected at the end", text_));
    return with_left_first(first, relation, second, offset, inequality.within);
  }

 private:
  static std::runtime_error fail(const std::string& why) { return std::runtime_error(why); }

  static Inequality with_left_first(const Term& first, Relation relation, const Term& second, double offset,
                                    double within) {
    if (first.side.empty()) throw fail("it must begin with a side, left or right");
    if (first.side == second.side) throw fail(fmt::format("'{}' is on both sides", first.side));
    Inequality inequality{relation, first.factor, second.factor, offset, within, ""};
    if (second.side.empty()) {
      if (first.side != "left") throw fail("a side that is compared with a number must be 'left'");
      inequality.right_factor = 0;
      inequality.offset = second.factor;
    } else if (first.side == "right") {  // k right < m left + c is m left - k right + c > 0
      inequality.relation = relation == Relation::kLess      ? Relation::kGreater
                            : relation == Relation::kGreater ? Relation::kLess
                                                             : Relation::kEqual;
      inequality.left_factor = second.factor;
      inequality.right_factor = first.factor;
      inequality.offset = -offset;
    }
    if (!(inequality.left_factor > 0) || inequality.right_factor < 0)
      throw fail("factors of sides must be more than 0");
    return inequality;
  }

  void skip() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  bool at(char c) {
    skip();
    return !text_.empty() && text_.front() == c;
  }
  char take() {
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  std::string word() {
    skip();
    std::string found;
    while (!text_.empty() && is_letter(text_.front())) found += take();
    return found;
  }
  double number() {
    skip();
    if (at('+')) take();
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value))
      throw fail(text_.empty() ? "a number is missing at the end" : fmt::format("a number is expected at '{}'", text_));
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }
  std::string side() {
    const auto name = word();
    if (name != "left" && name != "right")
      throw fail(name.empty() ? std::string(text_.empty() ? "a side is missing at the end"
                                                          : "a side is expected at '" + std::string(text_) + "'")
                              : fmt::format("'{}' is not a side{}", name,
                                            base::suggestion(name, {"left", "right"}, "the sides are ")));
    return name;
  }
  Term term() {
    skip();
    if (text_.empty() || is_letter(text_.front())) return {1, side()};
    const double factor = number();
    if (!at('*')) return {factor, ""};
    take();
    return {factor, side()};
  }
  Relation op() {
    skip();
    const char c = text_.empty() ? ' ' : text_.front();
    if (c != '<' && c != '>' && c != '=')
      throw fail(text_.empty() ? std::string("<, > or = is missing")
                               : fmt::format("<, > or = is expected at '{}'", text_));
    take();
    if (c != '=' && at('=')) throw fail(fmt::format("write '{}' instead of '{}='; the two are equivalent", c, c));
    if (at('=')) take();
    return c == '<' ? Relation::kLess : c == '>' ? Relation::kGreater : Relation::kEqual;
  }

  std::string_view text_;
};

}  // namespace

std::optional<Inequality> parse_inequality(const std::string& text, const document::Position& position,
                                           document::Diagnostics& diagnostics) {
  try {
    auto inequality = Reader(text).read();
    inequality.text = text;
    return inequality;
  } catch (const std::runtime_error& error) {
    diagnostics.add(position,
                    fmt::format("holds = \"{}\": {}; it must have the form {}", text, error.what(), kGrammar));
    return std::nullopt;
  }
}

}  // namespace assay::study
