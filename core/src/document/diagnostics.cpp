#include "document/diagnostics.h"

namespace assay::document {
namespace {

std::string all_lines(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const auto& diagnostic : diagnostics) text += (text.empty() ? "" : "\n") + diagnostic.text();
  return text;
}

const std::string& file_of(const Position& position) {
  static const std::string none;
  return position.file ? *position.file : none;
}

}  // namespace

ConfigErrors::ConfigErrors(std::vector<Diagnostic> diagnostics)
    : UserError(all_lines(diagnostics)), diagnostics_(std::move(diagnostics)) {}

bool Diagnostics::Order::operator()(const Diagnostic& a, const Diagnostic& b) const {
  return std::tie(file_of(a.position), a.position.line, a.position.column, a.message) <
         std::tie(file_of(b.position), b.position.line, b.position.column, b.message);
}

void Diagnostics::add(const Position& position, std::string message) { found_.insert({position, std::move(message)}); }

bool Diagnostics::has_at(const Position& position) const {
  const auto next = found_.lower_bound({position, ""});
  return next != found_.end() && file_of(next->position) == file_of(position) && next->position.line == position.line &&
         next->position.column == position.column;
}

void Diagnostics::throw_if_any() const {
  if (!found_.empty()) throw ConfigErrors({found_.begin(), found_.end()});
}

}  // namespace assay::document
