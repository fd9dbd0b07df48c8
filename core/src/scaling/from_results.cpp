#include "scaling/from_results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "record/events.h"
#include "record/metric.h"
#include "scaling/flops.h"

namespace assay::scaling {
namespace {

std::string name_of(const compare::RunResult& run) {
  return run.label.empty() ? fmt::format("seed={}", run.seed) : fmt::format("{} seed={}", run.label, run.seed);
}

double value_of(const compare::RunResult& run, const std::string& metric) {
  const auto found = run.values.find(metric);
  if (found == run.values.end())
    throw UserError(
        fmt::format("{}: the record has no {}; it was written before [scaling] needed it; 'assay gc' lists old "
                    "records, and 'assay run' makes them again",
                    name_of(run), metric));
  return found->second.value;
}

// The shape of a run's model, from parameters that are named as those of gpt. The rows of its embeddings, which are
// those of learned positions too, count as the vocabulary.
DecoderShape shape_of(const compare::RunResult& run, const std::string& convention) {
  const auto& model = run.line.train.model;
  const auto number = [&](const char* key) {
    if (const auto found = model.find(key); found != model.end() && found->is_number()) return found->get<double>();
    throw UserError(fmt::format(
        "{}: [scaling] flops = \"{}\" needs layers, width, heads and ffn, but model '{}' has no number '{}'; "
        "set flops to 6nd or exact",
        name_of(run), convention, model.value("use", ""), key));
  };
  DecoderShape shape{
      .layers = number("layers"), .width = number("width"), .ffw = number("ffn"), .heads = number("heads")};
  if (shape.ffw == 0) shape.ffw = 4 * shape.width;
  shape.head_width = shape.width / shape.heads;
  const double embeddings = value_of(run, "train.parameters") - value_of(run, "train.parameters_non_embedding");
  shape.vocabulary = embeddings / shape.width;
  return shape;
}

double flops_of(const compare::RunResult& run, const Point& point, const std::string& convention) {
  if (convention == "exact") return value_of(run, "train.flops_exact");
  const auto formula = flop_convention(convention);
  if (formula == FlopConvention::kSixNd) return 6 * point.parameters * point.tokens;  // the same N as the fit
  const auto context = static_cast<double>(run.line.train.data.context);
  return point.tokens / context * flops_per_sequence(shape_of(run, convention), context, formula);
}

// The training loss of each logged step; FLOPs grow evenly with the steps.
Curve curve_of(const compare::RunResult& run, const Point& point) {
  Curve curve{.parameters = point.parameters,
              .flops_per_token = point.flops / point.tokens,
              .steps = {},
              .flops = {},
              .losses = {},
              .name = point.name};
  const double steps = value_of(run, "train.steps");
  for (const auto& event : record::read_events(run.files.events())) {
    if (event.value("type", "") != "step" || !event.contains("loss")) continue;
    const double step = event.value("step", 0.0);
    if (step < 1) continue;
    curve.steps.push_back(step);
    curve.flops.push_back(point.flops * step / steps);
    curve.losses.push_back(record::number_or_nan(event["loss"]));
  }
  return curve;
}

std::string presence_text(compare::Presence presence) {
  compare::Count count{.planned = 1};
  compare::add_one(presence, count);
  return compare::reasons_text(count);
}

}  // namespace

std::string group_name(const compare::RunResult& run, const std::vector<std::string>& by) {
  std::vector<std::string> parts;
  for (const auto& axis : by) {
    const auto found = run.axes.find(axis);
    parts.push_back(fmt::format("{}={}", axis, found == run.axes.end() ? "" : found->second));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

MeasuredGroups measured_groups(const compare::Results& results, const study::ScalingSettings& settings,
                               const std::optional<sweep::Selector>& baseline) {
  MeasuredGroups measured;
  std::vector<std::size_t> matching;  // runs of each group that match the baseline
  std::vector<const record::PlanLine*> lines;
  for (const auto& run : results.runs) lines.push_back(&run.line);
  const auto selector = baseline ? std::optional(sweep::resolved(*baseline, lines)) : std::nullopt;
  for (const auto& run : results.runs) {
    if (const auto presence = compare::presence_of(run, settings.metric.name);
        presence != compare::Presence::kPresent) {
      measured.notes.push_back(
          fmt::format("left out: {} has no {} ({})", name_of(run), settings.metric.name, presence_text(presence)));
      continue;
    }
    const auto name = group_name(run, settings.by);
    auto group = std::find_if(measured.groups.begin(), measured.groups.end(),
                              [&](const RunGroup& one) { return one.name == name; });
    if (group == measured.groups.end()) {
      group = measured.groups.insert(group, RunGroup{.name = name});
      matching.push_back(0);
    }
    matching[static_cast<std::size_t>(group - measured.groups.begin())] +=
        selector && sweep::matches(*selector, run.line);
    group->points.push_back(
        {.parameters = value_of(run, settings.non_embedding ? "train.parameters_non_embedding" : "train.parameters"),
         .tokens = value_of(run, "train.tokens"),
         .loss = value_of(run, settings.metric.name),
         .seed = run.seed,
         .name = name_of(run)});
    auto& point = group->points.back();
    point.flops = flops_of(run, point, settings.flops);
    if (settings.envelope) group->curves.push_back(curve_of(run, point));
  }
  for (std::size_t i = 0; i < measured.groups.size(); ++i)
    if (matching[i] == measured.groups[i].points.size()) measured.baseline = i;
  if (measured.groups.empty())
    throw UserError(fmt::format("{}: no run has a value of {}; 'assay run' makes them:\n{}", results.experiment,
                                settings.metric.name, fmt::join(measured.notes, "\n")));
  return measured;
}

FitOptions fit_options_of(const study::ScalingSettings& settings, int threads) {
  FitOptions options{.parametric = settings.parametric, .isoflop = settings.isoflop, .envelope = settings.envelope};
  options.fit = {.loss = settings.least_absolute ? RobustLoss::kLad : RobustLoss::kHuber,
                 .delta = settings.delta,
                 .exclude_highest = static_cast<std::size_t>(settings.exclude_highest),
                 .tolerance = settings.tolerance,
                 .threads = threads};
  const auto take = [](const std::vector<double>& given, std::vector<double>& values) {
    if (!given.empty()) values = given;
  };
  take(settings.grid.alpha, options.fit.grid.alpha);
  take(settings.grid.beta, options.fit.grid.beta);
  take(settings.grid.e, options.fit.grid.e);
  take(settings.grid.a, options.fit.grid.a);
  take(settings.grid.b, options.fit.grid.b);
  options.profiles = {.budgets = settings.budgets, .window = settings.window};
  options.curves = {.smoothing_window = settings.smoothing_window,
                    .points = static_cast<std::size_t>(settings.envelope_points)};
  options.bootstrap = {.resamples = static_cast<std::size_t>(settings.bootstrap),
                       .seed = settings.seed,
                       .subset_fraction = settings.subset_fraction};
  options.budgets = settings.at;
  return options;
}

}  // namespace assay::scaling
