#include "plan/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/files.h"
#include "document/extends.h"
#include "document/merge.h"
#include "document/set_path.h"
#include "plan/budget.h"
#include "plan/compare_check.h"
#include "plan/epochs.h"
#include "plan/experiment_name.h"
#include "plan/line_maker.h"
#include "plan/run_config.h"
#include "plan/run_inputs.h"
#include "record/metric_name.h"
#include "schema/sections.h"
#include "sweep/overrides.h"
#include "sweep/seeds.h"
#include "sweep/sweep.h"
#include "sweep/sweep_blocks.h"
#include "worker/client.h"

namespace assay::plan {
namespace {

using nlohmann::json;

bool decides_runs(const sweep::Override& override_) {
  const auto& section = override_.path[0];
  return section != "experiment" && section != "compare" && section != "claim" && section != "figure" &&
         section != "prune" && section != "scaling";
}

// Makes the plan of one request.
class Planner {
 public:
  explicit Planner(const PlanRequest& request)
      : request_(request),
        paths_(request.file, request.folder),
        inputs_(
            request.file,
            [this](const std::string& file, const std::vector<std::string>& requested_by) {
              return make_plan({file, {}, request_.plugin_path, requested_by}).lines;
            },
            request.requested_by) {}

  Plan make() {
    document_ = document::load_document(request_.file, diagnostics_);
    overrides_ = sweep::read_overrides(request_.sets, diagnostics_);
    apply_file_overrides(document_.root);
    schema::check_sections(document_.root, diagnostics_);
    read_experiment(document_.root);
    std::vector<int64_t> seeds;
    for (const auto& seed : seeds_) seeds.push_back(seed.shown);
    inputs_.set_seeds(std::move(seeds));
    inputs_.set_name(plan_.experiment);
    plan_.compare = study::read_compare(document_.root, diagnostics_);
    plan_.prune = study::read_prune(document_.root, diagnostics_);
    auto blocks = sweep::read_sweep(document_.root, diagnostics_);
    sweep::collapse_axes(blocks, overrides_);
    load_catalogue();
    resolve_groups(document_.root, std::move(blocks));
    diagnostics_.throw_if_any();
    write_lines();
    check_against_lines();
    if (request_.validates) validate();
    diagnostics_.throw_if_any();
    plan_.request = request_;
    plan_.files = paths_.found();
    plan_.inputs = inputs_.experiments();
    for (const auto& source : document_.sources) plan_.files.push_back(source.name);
    return std::move(plan_);
  }

 private:
  void apply_file_overrides(document::Node& root) {
    for (const auto& override_ : overrides_)
      if (!decides_runs(override_))
        document::set_path(root, override_.path, override_.position, override_.value, diagnostics_);
    std::erase_if(overrides_, [](const sweep::Override& override_) { return !decides_runs(override_); });
  }

  void read_experiment(const document::Node& root) {
    plan_.experiment = experiment_name(request_.file);
    const document::Node* seeds = nullptr;
    if (const auto* node = root.as<document::Table>()->find("experiment"); node && node->is_table()) {
      schema::Resolver resolver(catalogue_, paths_, diagnostics_);
      const auto experiment = resolver.section(*node, schema::section_parameters("experiment"), "[experiment]");
      seeds = node->as<document::Table>()->find("seeds");
      if (experiment.contains("share_trunks") && experiment["share_trunks"].is_boolean())
        plan_.share_trunks = experiment["share_trunks"];
      if (const auto* name = document::string_of(*node->as<document::Table>(), "name"))
        use_name(*name, node->as<document::Table>()->find("name")->position);
    }
    plan_.results_folder = results_root(request_.file) / plan_.experiment;
    seeds_ = sweep::read_seeds(seeds, diagnostics_);
    sweep::add_seeds(seeds_, request_.seeds_at_least);
  }

  void use_name(const std::string& name, const document::Position& position) {
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (name.empty() || name.front() == '-' || !std::all_of(name.begin(), name.end(), plain)) {
      diagnostics_.add(position,
                       fmt::format("'{}' is not a valid name for a results folder; use letters, digits and '-'", name));
    } else {
      plan_.experiment = name;
    }
  }

  // Without plugin descriptors nothing more can be checked, but the errors found so far are still reported.
  void load_catalogue() {
    try {
      catalogue_ = worker::load_descriptors(request_.plugin_path, results_root(request_.file) / ".cache");
    } catch (const UserError& error) {
      if (diagnostics_.empty()) throw;
      diagnostics_.add({std::make_shared<const std::string>("plugins"), 0, 0}, error.what());
      diagnostics_.throw_if_any();
    }
  }

  void resolve_groups(const document::Node& base, std::vector<sweep::Block> blocks) {
    schema::Resolver resolver(catalogue_, paths_, diagnostics_, &inputs_);
    sweep::Sweep sweep(base, std::move(blocks), overrides_, catalogue_, diagnostics_);
    plan_.axes = sweep.axes();
    sweep.for_each(sweep::kMaxRuns / std::max<size_t>(1, seeds_.size()), [&](sweep::Combination combination) {
      ++plan_.combinations;
      resolve_group(std::move(combination), resolver);
    });
    if (diagnostics_.empty()) resolve_budgets(resolver);
    plan_.distinct = groups_.size();
  }

  void resolve_group(sweep::Combination combination, schema::Resolver& resolver) {
    auto& document = combination.document;
    schema::check_sections(document, diagnostics_);
    Group group;
    group.config = resolve_run(document, resolver);
    if (!diagnostics_.empty()) return;
    group.id = group_of(group.config);
    // While a budget is open, its target takes the place of the steps that it will resolve to.
    const auto open = needs_model_size(group.config.budget) ? group.config.budget.dump() : "";
    if (!known_.insert(group.id + open).second) return;  // an equal run of another combination
    describe_choices(combination.choices, document, group);
    group.document = std::move(document);
    groups_.push_back(std::move(group));
  }

  // Converts budgets in FLOPs or in tokens per parameter to steps after the model sizes have been measured.
  void resolve_budgets(schema::Resolver& resolver) {
    const auto open = [](const Group& group) { return needs_model_size(group.config.budget); };
    if (std::none_of(groups_.begin(), groups_.end(), open)) return;
    const LineMaker maker(plan_.experiment, request_.file, document_, catalogue_);
    std::vector<record::PlanLine> lines;
    for (const auto& group : groups_)
      if (open(group)) maker.add_lines(group, {seeds_.front()}, lines);
    const auto measured = worker::validate_assembly(text_of(lines, 1));
    for (const auto& line : lines)
      if (!measured.sizes.count(line.group)) return report(measured.findings);
    known_.clear();
    auto line = lines.begin();
    for (auto& group : std::exchange(groups_, {})) {
      if (open(group)) {
        const auto budget = group.config.budget;
        const auto tokens_per_step = (line++)->tokens_per_step();
        auto& section = *group.document.as<document::Table>()->find("train")->as<document::Table>();
        const auto position = section.find_entry(budget.at("kind").get<std::string>())->position;
        const auto parameters = measured.sizes.at(group.id).parameters;
        if (const auto fault = too_small(budget, tokens_per_step, parameters); !fault.empty())
          diagnostics_.add(position, fault);
        document::drop_other_budgets(section, "steps");
        section.set("steps", position, {steps_within(budget, tokens_per_step, parameters), position});
        group.config = resolve_run(group.document, resolver);
        group.config.budget = budget;
        if (!diagnostics_.empty()) continue;  // all budgets that are too small are reported
        group.id = group_of(group.config);
      }
      if (known_.insert(group.id).second) groups_.push_back(std::move(group));
    }
  }

  void write_lines() {
    const LineMaker maker(plan_.experiment, request_.file, document_, catalogue_);
    plan_.training_code = catalogue_.training_code;
    plan_.source_text = maker.source_text();
    for (const auto& group : groups_) maker.add_lines(group, seeds_, plan_.lines);
  }

  void check_against_lines() {
    std::vector<document::KeyPath> given;
    for (const auto& override_ : overrides_) given.push_back(override_.path);
    check_comparison(plan_.compare, plan_.lines, given, diagnostics_);
    study::check_figures(plan_.compare.figures, plan_.lines, given, diagnostics_);
    if (plan_.compare.scaling) study::check_scaling(*plan_.compare.scaling, plan_.lines, given, diagnostics_);
    if (plan_.prune) study::check_prune(*plan_.prune, plan_.lines, diagnostics_);
  }

  void validate() {
    auto validation = worker::validate_assembly(text_of(plan_.lines, seeds_.size()));
    plan_.sizes = std::move(validation.sizes);
    plan_.notes = std::move(validation.notes);
    plan_.data = std::move(validation.data);
    std::set<std::string> known;
    for (const auto& group : groups_)
      for (const auto& note : group.config.notes)
        if (known.insert(note).second) plan_.notes.push_back(note);
    if (plan_.prune)
      for (auto& note : study::rounding_notes(*plan_.prune, plan_.lines)) plan_.notes.push_back(std::move(note));
    report(validation.findings);
    check_metrics(validation.metrics);
    check_equal_costs(plan_.compare, plan_.lines, plan_.sizes, diagnostics_);
  }

  void check_metrics(const std::map<std::string, std::vector<std::string>>& known) {
    const auto check = [&](const study::MetricName& metric, bool whole) {
      if (!is_overridden(record::owner_of(metric.name)))
        study::check_metric_is_given(metric, whole, known, diagnostics_);
    };
    const auto& compare = plan_.compare;
    for (const auto& metric : compare.metrics) check(metric, false);
    for (const auto& figure : compare.figures) check({figure.y, figure.position}, false);
    for (const auto& claim : compare.claims) {
      check(claim.left.metric, true);
      if (claim.right) check(claim.right->metric, true);
    }
    if (compare.tune) check(compare.tune->by, true);
    if (compare.scaling) check(compare.scaling->metric, true);
    if (plan_.prune)
      study::check_metric_is_given({plan_.prune->metric, plan_.prune->metric_position}, true, known, diagnostics_);
  }

  // An evaluation that the command line changes may lack metrics that the file names, as a narrowed axis may lack
  // values.
  bool is_overridden(const std::string& label) const {
    return std::any_of(overrides_.begin(), overrides_.end(), [&](const sweep::Override& one) {
      return one.path.size() > 1 && one.path[0] == "evaluate" && one.path[1] == label;
    });
  }

  // One line per group.
  static std::string text_of(const std::vector<record::PlanLine>& lines, size_t seeds) {
    std::string text;
    for (size_t i = 0; i < lines.size(); i += seeds) text += lines[i].text() + "\n";
    return text;
  }

  void report(const std::vector<worker::Finding>& findings) {
    for (const auto& finding : findings) {
      const auto group =
          std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.id == finding.group; });
      const auto& document = (group == groups_.end() ? groups_.front() : *group).document;
      const auto path = document::canonical_path(document::split_key(finding.path));
      const auto position = document::nearest_position(document, path);
      const auto words = document::words_within(document, path);  // any of them may be the cause
      const bool says_so = position.line == 0 || words.empty();
      diagnostics_.add(position,
                       says_so ? finding.message : fmt::format("{} (with {})", finding.message, fmt::join(words, " ")));
    }
  }

  const PlanRequest& request_;
  document::Document document_;
  schema::PathFinder paths_;
  RunInputs inputs_;
  document::Diagnostics diagnostics_;
  schema::Catalogue catalogue_;
  std::vector<sweep::Override> overrides_;
  std::vector<sweep::Seed> seeds_;
  std::vector<Group> groups_;
  std::set<std::string> known_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const PlanRequest& request) { return Planner(request).make(); }

std::vector<std::string> warnings_of(const Plan& plan) {
  std::set<std::string> sentences;
  for (const auto& line : plan.lines)
    for (const auto& [component, plugin] : line.plugins)
      for (const auto& other : plugin.shadows)
        sentences.insert(
            fmt::format("warning: {} is loaded from {}; {} also provides it, but is later on the plugin path",
                        component, plugin.file, other.file));
  std::vector<std::string> all{sentences.begin(), sentences.end()};
  all.insert(all.end(), plan.notes.begin(), plan.notes.end());
  for (auto& warning : epoch_warnings(plan.lines, plan.sizes)) all.push_back(std::move(warning));
  return all;
}

void write_plan(const Plan& plan, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::string lines;
  for (const auto& line : plan.lines) lines += line.text() + "\n";
  base::write_atomically(folder / "experiment.toml", plan.source_text);
  base::write_atomically(folder / "plan.jsonl", lines);
}

}  // namespace assay::plan
