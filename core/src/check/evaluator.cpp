// Evaluators: metrics are valid and the same on every mesh, and the model is not changed.
#include "assay/evaluator.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/evaluate.h"

namespace assay::check {
namespace {

std::vector<record::RecordedMetric> metrics(const Subject& subject, int tensor, std::string* changed = nullptr) {
  TinyRun tiny(subject);
  tiny.mesh(tensor, 1);
  std::vector<record::RecordedMetric> found;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto before = run::whole_weights(run, mesh);
    auto report = run::evaluate(run, mesh, run.evaluators[0], 0);
    const auto after = run::whole_weights(run, mesh);
    if (!mesh.first()) return;
    if (changed) *changed = difference(after, before, 0);
    found = std::move(report.metrics);
  });
  return found;
}

std::string name_of(const record::RecordedMetric& metric) {
  auto name = "metric " + metric.name;
  for (const auto& [coordinate, value] : metric.coordinates) name += " " + coordinate + "=" + std::to_string(value);
  return name;
}

std::string metrics_are_numbers(const Subject& subject) {
  std::string changed;
  const auto all = metrics(subject, 1, &changed);
  if (!changed.empty()) return "it changes the model: " + changed;
  if (all.empty()) return "it reports no metric";
  for (const auto& metric : all) {
    if (metric.name.empty()) return "a metric has no name";
    if (!std::isnan(metric.value) && !(metric.weight > 0))
      return name_of(metric) + " has the weight " + std::to_string(metric.weight);
    if (std::isnan(metric.sum))
      return name_of(metric) + " has a sum of NaN; a metric that does not apply must have no value";
    if (std::isinf(metric.value)) return name_of(metric) + " is infinite";
  }
  return "";
}

std::string metrics_on_meshes(const Subject& subject) {
  const auto expected = metrics(subject, 1);
  for (const int ranks : {2, 4}) {
    const auto found = metrics(subject, ranks);
    if (found.size() != expected.size()) return "the number of metrics differs at tensor = " + std::to_string(ranks);
    for (size_t i = 0; i < found.size(); ++i)
      if (name_of(found[i]) != name_of(expected[i]) || std::isnan(found[i].value) != std::isnan(expected[i].value) ||
          std::abs(found[i].value - expected[i].value) > 1e-9 * std::max(1.0, std::abs(expected[i].value)))
        return name_of(found[i]) + " is " + std::to_string(found[i].value) + " at tensor = " + std::to_string(ranks) +
               " and " + std::to_string(expected[i].value) + " on one rank";
  }
  return "";
}

// Empty if it declares none.
std::vector<std::string> planned(const Subject& subject) {
  TinyRun tiny(subject);
  std::vector<std::string> names;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto* own = run.evaluators[0].evaluator;
    for (const auto& metric : guard(*own, "planned_metrics", [&] { return own->planned_metrics(run.assembly()); }))
      if (mesh.first()) names.push_back(name_of({.name = metric.name, .coordinates = metric.coordinates}));
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::string gives_what_it_plans(const Subject& subject) {
  const auto names = planned(subject);
  if (names.empty()) return "";
  std::vector<std::string> given;
  for (const auto& metric : metrics(subject, 1)) given.push_back(name_of(metric));
  std::sort(given.begin(), given.end());
  std::vector<std::string> one_sided;
  std::set_symmetric_difference(names.begin(), names.end(), given.begin(), given.end(), std::back_inserter(one_sided));
  if (one_sided.empty()) return "";
  const bool is_given = std::binary_search(given.begin(), given.end(), one_sided[0]);
  return one_sided[0] + (is_given ? " is reported, but planned_metrics does not declare it"
                                  : " is declared by planned_metrics, but not reported");
}

}  // namespace

void evaluator(const Subject& subject) {
  subject.property("its metrics are valid, and it does not change the model",
                   [&] { return metrics_are_numbers(subject); });
  subject.property("its metrics are those of planned_metrics, if it declares any",
                   [&] { return gives_what_it_plans(subject); });
  subject.property("tensor = 1, 2, 4 give the same metrics", [&] { return metrics_on_meshes(subject); });
  subject.property("it is reproducible, also in two threads", [&] {
    return repeats([&] {
      std::string text;
      for (const auto& metric : metrics(subject, 1)) text += name_of(metric) + " " + exact(metric.value) + "\n";
      return text;
    });
  });
}

}  // namespace assay::check
