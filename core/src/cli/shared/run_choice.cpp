#include "cli/shared/run_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "assay/error.h"

namespace assay::cli {

RunChoice::RunChoice(std::string text, std::string origin) : text_(std::move(text)), origin_(std::move(origin)) {
  const bool is_id = !text_.empty() && text_.find_first_of("=<>!") == std::string::npos;
  if (is_id) return;
  document::Diagnostics diagnostics;
  selector_ = sweep::selector_of_text(text_, origin_, diagnostics);
  diagnostics.throw_if_any();
}

bool RunChoice::matches(const record::PlanLine& plan_line) const {
  if (selector_) return sweep::matches(*selector_, plan_line);
  return plan_line.train_id.starts_with(text_);
}

void RunChoice::resolve(const std::vector<const record::PlanLine*>& plan_lines) {
  if (!selector_) return;
  document::Diagnostics diagnostics;
  sweep::require_known_values(*selector_, plan_lines, fmt::format("'{}'", text_), diagnostics);
  diagnostics.throw_if_any();
  selector_ = sweep::resolved(std::move(*selector_), plan_lines);
}

std::vector<record::PlanLine> RunChoice::among(const std::vector<record::PlanLine>& plan_lines) {
  const auto lines = sweep::pointers_to(plan_lines);
  resolve(lines);
  std::vector<record::PlanLine> chosen;
  std::ranges::copy_if(plan_lines, std::back_inserter(chosen),
                       [&](const record::PlanLine& line) { return matches(line); });
  if (!chosen.empty()) return chosen;
  if (!selector_)
    throw UserError(fmt::format(
        "{}: no run's id begins with '{}'; 'assay plan' lists the ids, and a selector has the form positional=alibi",
        origin_, text_));
  document::Diagnostics diagnostics;
  sweep::require_match(*selector_, lines, fmt::format("'{}'", text_), diagnostics);
  diagnostics.throw_if_any();
  return chosen;
}

}  // namespace assay::cli
