#include "cli/export_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "cli/shared/comparison.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/named_run.h"
#include "cli/shared/plan_note.h"
#include "compare/formats/long_csv.h"
#include "plan/line_maker.h"
#include "record/plan_line/plan_lines.h"
#include "schema/argument_component.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kMaxNameBytes = 200;  // bytes; file systems take 255

// "positional=alibi optimizer.lr=0.01 seed=2": the run's name in a tracker's own table.
std::string folder_name(const record::PlanLine& line) {
  const auto label = base::printable(line.label);
  auto name = fmt::format("{}{}seed={}", label, label.empty() ? "" : " ", line.seed);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

// A named experiment, or one run of it.
struct Named {
  record::ExperimentLayout layout;
  std::string train_id;  // empty: all runs of the plan
  bool has(const std::string& id) const { return train_id.empty() || train_id == id; }
};

Named named(const std::string& word) {
  try {
    const auto experiment = find_experiment(word);
    note_other_plan(experiment);
    return {experiment.layout, ""};
  } catch (const UserError& no_experiment) {
    try {
      const auto run = find_run(word);
      note_other_plan({run.experiment(), std::nullopt});
      return {run.experiment(), run.line.train_id};
    } catch (const UserError&) {
      throw UserError(std::string(no_experiment.what()) + "; it is not a run either");
    }
  }
}

}  // namespace

int export_csv(const std::vector<std::string>& words, const std::string& out, bool curves) {
  if (words.size() != 1) throw UserError("assay export: --to csv takes one experiment or run");
  const auto what = named(words[0]);
  auto results = compare::read_results(what.layout, current_training_code());
  std::erase_if(results.runs, [&](const compare::RunResult& run) { return !what.has(run.line.train_id); });
  const auto text = curves ? compare::curves_csv(results, what.layout) : compare::metrics_csv(results);
  if (out.empty())
    std::cout << text;
  else
    base::write_atomically(out, text);
  return 0;
}

int export_to_tracker(const std::vector<std::string>& words, const std::string& tracker, const std::string& out,
                      const schema::Catalogue& catalogue) {
  const auto what = named(words[0]);
  const auto& layout = what.layout;
  const auto component = schema::component_of_words("tracker", tracker, {words.begin() + 1, words.end()}, catalogue);
  const auto found = catalogue.find("tracker", tracker);
  json runs = json::array();
  std::set<std::string> names;
  for (const auto& line : record::read_plan_lines(layout.plan())) {
    const auto run = layout.run(line.train_id);
    if (!what.has(line.train_id) || !fs::exists(run.events())) continue;
    auto name = folder_name(line);
    const bool is_long = name.size() > kMaxNameBytes;
    if (is_long) name = base::valid_utf8(name.substr(0, kMaxNameBytes)) + "..";
    if (is_long || !names.insert(name).second) name += " " + line.train_id.substr(0, 12);
    runs.push_back(
        {{"line", line.to_json()}, {"run", run.folder().string()}, {"out", (fs::path(out) / name).string()}});
  }
  if (runs.empty()) throw UserError(layout.folder().string() + ": no run has events; 'assay run' trains the runs");
  worker::replay_events({{"plugins", record::to_json({{"tracker/" + tracker, plan::planned_plugin(*found.plugin)}})},
                         {"tracker", component},
                         {"experiment", layout.folder().filename().string()},
                         {"runs", runs}});
  for (const auto& run : runs) std::cout << base::printable(run.at("out").get<std::string>()) << "\n";
  return 0;
}

}  // namespace assay::cli
