#include "cli/shared/plan_note.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/shared/until_decided.h"
#include "plan/experiment_name.h"
#include "plan/plan_source.h"
#include "record/plan_line/plan_lines.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

// The path as a user in the current folder would write it.
std::string shown(const fs::path& file) {
  const auto near = fs::absolute(file).lexically_proximate(fs::current_path());
  return *near.begin() == ".." ? file.string() : near.string();
}

// What tables show of a run: its weights, its names and its evaluations.
std::string meaning_of(const record::PlanLine& line) {
  std::string text = line.train_id + line.label + line.axes.dump();
  for (const auto& evaluation : line.evaluate) text += "\n" + evaluation.id + evaluation.label;
  return text;
}

struct Meaning {
  std::set<std::string> ids, runs;
  explicit Meaning(const std::vector<record::PlanLine>& lines) {
    for (const auto& line : lines) {
      ids.insert(line.train_id);
      runs.insert(meaning_of(line));
    }
  }
};

size_t count_outside(const std::set<std::string>& ids, const std::set<std::string>& others) {
  return static_cast<size_t>(
      std::count_if(ids.begin(), ids.end(), [&](const std::string& id) { return !others.contains(id); }));
}

std::string difference(const Meaning& now, const Meaning& in_force) {
  if (const auto more = count_outside(now.ids, in_force.ids); more > 0)
    return fmt::format("{} of its {} runs are not in that plan", more, now.ids.size());
  if (const auto fewer = count_outside(in_force.ids, now.ids); fewer > 0)
    return fmt::format("{} of that plan's {} runs are not among its runs", fewer, in_force.ids.size());
  return "its labels or evaluations differ";
}

// "plan 3f2a91c04b7d, made from experiments/quick.toml optimizer.lr=0.01 on 2024-05-01T12:00:00Z"
std::string plan_text(const record::ExperimentLayout& layout, const std::optional<plan::PlanSource>& source) {
  auto text = "plan " + base::sha256_of_file(layout.plan()).substr(0, 12);
  if (source)
    text += fmt::format(", made from {}{}{} on {}", shown(source->request.file),
                        source->request.sets.empty() ? "" : " ", fmt::join(source->request.sets, " "), source->made);
  return text;
}

void say(const record::ExperimentLayout& layout, const std::optional<plan::PlanSource>& source,
         const std::string& what) {
  std::cerr << base::printable(fmt::format("note: the results of {} belong to {}; {}",
                                           layout.folder().filename().string(), plan_text(layout, source), what))
            << "\n";
}

// Quotes a word for the shell.
std::string quoted(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  return base::shell_quoted(word);
}

std::string words_of(const plan::PlanRequest& request) {
  auto words = quoted(shown(request.file));
  for (const auto& set : request.sets) words += " " + quoted(set);
  if (!request.plugin_path.empty()) words += " --plugin-path " + quoted(request.plugin_path);
  return words;
}

// Paths in the arguments are relative to the folder in which the plan was made.
std::string where_to_run(const plan::PlanRequest& request) {
  std::error_code ignored;
  const bool elsewhere =
      !request.sets.empty() && !request.folder.empty() && !fs::equivalent(request.folder, fs::current_path(), ignored);
  return elsewhere ? fmt::format(" (in {})", request.folder) : "";
}

// `request`: the arguments for `assay run`.
void compare_plans(const record::ExperimentLayout& layout, const std::optional<plan::PlanSource>& source,
                   const plan::PlanRequest& request, const std::vector<record::PlanLine>& lines,
                   const Meaning& in_force) {
  const Meaning now(lines);
  if (now.runs != in_force.runs)
    say(layout, source,
        fmt::format("{0} now plans other runs ({1}); 'assay run {0}'{2} runs them", words_of(request),
                    difference(now, in_force), where_to_run(request)));
}

}  // namespace

void note_other_plan(const NamedExperiment& experiment) {
  const auto& layout = experiment.layout;
  if (!fs::exists(layout.plan())) return;
  const auto source = plan::read_plan_source(layout);
  plan::PlanRequest request;
  if (source) request = source->request;
  if (experiment.file) {  // the file does not know the overrides of a command line
    request.file = experiment.file->string();
    request.sets.clear();
  } else if (!source) {
    return;
  } else if (!fs::exists(request.file)) {
    say(layout, source, "that file no longer exists");
    return;
  }
  std::error_code absent;
  const bool as_made =
      source && request.sets == source->request.sets && fs::equivalent(request.file, source->request.file, absent);
  if (as_made && plan::is_untouched(*source)) return;
  request.validates = false;
  const Meaning in_force(record::read_plan_lines(layout.plan()));  // a corrupt plan throws its own error
  try {
    compare_plans(layout, source, request, plan_of_study(request).lines, in_force);
  } catch (const UserError&) {
    say(layout, source, fmt::format("{0} cannot be planned now; 'assay plan {0}' reports why", words_of(request)));
  }
}

void note_replaced_plan(const plan::Plan& plan) {
  const record::ExperimentLayout layout(plan.results_folder);
  if (!fs::exists(layout.plan())) return;
  const auto source = plan::read_plan_source(layout);
  std::error_code absent;
  if (!source || fs::equivalent(source->request.file, plan.request.file, absent) || absent) return;
  std::cerr << base::printable(
                   fmt::format("note: {} and {} both have the name '{}', so their plans replace each other; "
                               "give one of them another [experiment] name",
                               shown(source->request.file), shown(plan.request.file), plan.experiment))
            << "\n";
}

void note_other_plans_of_inputs(const plan::Plan& plan) {
  for (const auto& input : plan.inputs)
    note_other_plan({record::ExperimentLayout(plan::results_root(plan.request.file) / input), std::nullopt});
}

void note_other_plan(const plan::Plan& plan) {
  const record::ExperimentLayout layout(plan.results_folder);
  if (fs::exists(layout.plan()))
    compare_plans(layout, plan::read_plan_source(layout), plan.request, plan.lines,
                  Meaning(record::read_plan_lines(layout.plan())));
}

}  // namespace assay::cli
