#include "compare/formats/escape.h"

#include <algorithm>
#include <cctype>

#include "base/printable.h"

namespace assay::compare {
namespace {

bool is_letter(char one) { return std::isalpha(static_cast<unsigned char>(one)) != 0 && one > 0; }
bool is_digit(char one) { return one >= '0' && one <= '9'; }
bool is_word(char one) { return is_letter(one) || is_digit(one); }
bool is_in(char one, std::string_view set) { return one != '\0' && set.find(one) != std::string_view::npos; }

// Whether a character between two others ('\0' at the ends) has a meaning in Markdown. Others are not escaped, so that
// names such as bits_per_byte and numbers such as <0.0001 remain readable in the file.
bool means_something(char before, char one, char after) {
  if (is_in(one, "\\`*|~$")) return true;
  if (one == '_') return !is_word(before) || !is_word(after);  // emphasis does not begin or end inside a word
  if (one == '<') return is_letter(after) || is_in(after, "/!?");
  if (one == '&') return is_word(after) || after == '#';
  return one == ']' && is_in(after, "([:");  // a link or its definition
}

std::string latex_of(char one, char after) {
  switch (one) {
    case '\\':
      return "\\textbackslash{}";
    case '<':
      return "\\textless{}";
    case '>':
      return "\\textgreater{}";
    case '|':
      return "\\textbar{}";
    case '~':
      return "\\textasciitilde{}";
    case '^':
      return "\\textasciicircum{}";
    case '`':
      return "\\textasciigrave{}";
    case '\'':
      return "\\textquotesingle{}";
    case '"':
      return "\\texttt{\\char34}";  // straight in any encoding, and not a shorthand of babel
    case '[':
    case '*':
      return std::string("{") + one + "}";  // after the \\ of the previous row they would be its argument
    case '-':
    case ',':
      return after == one ? std::string(1, one) + "{}" : std::string(1, one);  // -- and ,, are ligatures
    default:
      return is_in(one, "&%$#_{}") ? std::string("\\") + one : std::string(1, one);
  }
}

}  // namespace

std::string escaped_markdown(std::string_view text) {
  const auto shown = base::printable(text);
  std::string result;
  for (size_t i = 0; i < shown.size(); ++i) {
    const char before = i > 0 ? shown[i - 1] : '\0', after = i + 1 < shown.size() ? shown[i + 1] : '\0';
    if (means_something(before, shown[i], after)) result += '\\';
    result += shown[i];
  }
  return result;
}

std::string markdown_line(std::string_view text) {
  auto result = escaped_markdown(text);
  if (result.empty()) return result;
  if (result[0] == ' ') return "&#32;" + result.substr(1);  // four spaces are code
  if (is_in(result[0], "#+-=>[")) return "\\" + result;
  const auto digits = static_cast<size_t>(std::find_if_not(result.begin(), result.end(), is_digit) - result.begin());
  if (digits > 0 && digits < result.size() && is_in(result[digits], ".)")) result.insert(digits, "\\");
  return result;
}

std::string markdown_code(std::string_view text) {
  const auto shown = base::printable(text);
  size_t longest = 0, run = 0;
  for (const char one : shown) longest = std::max(longest, run = one == '`' ? run + 1 : 0);
  const std::string fence(longest + 1, '`');
  // Markdown strips one space at both ends.
  const bool pads = shown.empty() || longest > 0 || (shown.front() == ' ' && shown.back() == ' ');
  return fence + (pads ? " " : "") + shown + (pads ? " " : "") + fence;
}

std::string escaped_latex(std::string_view text) {
  constexpr std::string_view kPlusMinus = "\u00b1";
  const auto shown = base::printable(text);
  std::string result;
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown.compare(i, kPlusMinus.size(), kPlusMinus) == 0) {
      result += "$\\pm$";
      i += kPlusMinus.size() - 1;
    } else {
      result += latex_of(shown[i], i + 1 < shown.size() ? shown[i + 1] : '\0');
    }
  }
  return result;
}

std::string latex_comment(std::string_view text) { return "% " + base::printable(text) + "\n"; }

std::string escaped_html(std::string_view text) {
  std::string result;
  for (const char one : base::printable_lines(text)) {
    switch (one) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += one;
    }
  }
  return result;
}

}  // namespace assay::compare
