#include "run/validate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "assay/exchange.h"
#include "mesh/backends.h"
#include "mesh/processes.h"
#include "record/metric.h"
#include "record/plan_line/plan_lines.h"
#include "run/assemble.h"
#include "run/init.h"

namespace assay::run {
using nlohmann::json;

namespace {

// If the schedule reaches its final rate within the run, the number of updates at that rate, else 0. The rate is
// assumed to stay there.
int64_t updates_at_the_end(const std::function<double(int64_t)>& rate_at, int64_t steps) {
  if (steps == 0) return 0;
  const double end = rate_at(2 * steps + 1);
  int64_t first = 0, beyond = steps;  // the first update at the final rate
  while (first < beyond) {
    const auto middle = first + (beyond - first) / 2;
    if (rate_at(middle) == end)
      beyond = middle;
    else
      first = middle + 1;
  }
  return first > 0 && rate_at(first - 1) > end ? steps - first : 0;
}

// Why an exchange of the experiment cannot export the run; empty when it can.
std::string export_refusal(const Exchange& exchange, const Assembled& run, const record::TrainConfig& train) {
  const OwnModel own{train.model.dump(),
                     train.data.tokenizer.dump(),
                     run.vocabulary->size(),
                     run.vocabulary->special(),
                     run.context,
                     {}};
  try {
    exchange.check(own);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

// Whether the last update has the highest rate of the run although the schedule decays after it.
bool falls_after_the_run_only(const std::function<double(int64_t)>& rate_at, int64_t steps) {
  constexpr int64_t kLooks = 16;
  if (steps < 2 || rate_at(2 * steps + 1) >= rate_at(steps - 1)) return false;
  for (int64_t look = 0; look < kLooks; ++look)
    if (rate_at(look * (steps - 1) / kLooks) > rate_at(steps - 1)) return false;
  return true;
}

// Transforms whose stages exclude one another, and a model that needs rows with a source.
std::vector<std::pair<std::string, std::string>> stage_faults(const Assembled& run) {
  std::vector<std::pair<std::string, std::string>> faults;
  const Transform* maker = nullptr;
  for (const auto* transform : run.transforms) {
    if (transform->stage() != Stage::kSequences) continue;
    if (maker)
      faults.emplace_back(transform->identity().instance,
                          "the transform '" + maker->identity().name + "' makes the rows already; keep one of the two");
    maker = transform;
  }
  const bool has_encoder = guard(*run.model, "has_encoder", [&] { return run.model->has_encoder(); });
  for (const auto* transform : run.transforms)
    if (maker && has_encoder && transform->stage() == Stage::kContext)
      faults.emplace_back(transform->identity().instance,
                          "the transform may move tokens, and the model's encoder reads the first tokens of a row; "
                          "remove it, or use a model without an encoder");
  for (const auto* transform : run.transforms)
    if (maker && (transform->stage() == Stage::kDocument || transform->stage() == Stage::kTokens))
      faults.emplace_back(transform->identity().instance, "the transform changes documents, but '" +
                                                              maker->identity().name +
                                                              "' makes rows of their fields; remove one of the two");
  if (run.steps > 0 && !maker && has_encoder)
    faults.emplace_back("model",
                        "the model's encoder reads the source of a row, and no transform makes rows with a source; add "
                        "one, such as norm_views, or use a model without an encoder");
  return faults;
}

}  // namespace

json validate(const loader::Registry& registry, const record::PlanLine& line, std::optional<Built>* built,
              DataSizes* sizes) {
  DataSizes own;
  auto& data = sizes ? *sizes : own;
  json findings = json::array();
  const auto find = [&](const std::string& path, const std::string& message) {
    findings.push_back({{"group", line.group}, {"path", path}, {"message", message}});
  };
  try {
    if (const auto refused = refusal(line)) find(refused->path, refused->message);
    Assembled run(registry, line);
    const auto assembly = run.assembly();
    for (const auto* component : run.instances.all())
      for (const auto& message : guard(*component, "validate", [&] { return component->validate(assembly); }))
        find(component->identity().instance, message);
    for (const auto& entry : run.objectives) {
      const auto needs = guard(*entry.objective, "needs", [&] { return entry.objective->needs(); });
      const auto path = entry.objective->identity().instance;
      if (needs.causal && !run.model->causal())
        find(path, "the objective needs a causal model, but the model is bidirectional");
      if (needs.bidirectional && run.model->causal())
        find(path, "the objective needs a bidirectional model, but the model is causal");
      if (needs.unread < 0 || needs.unread >= run.context)
        find(path, "the objective leaves " + std::to_string(needs.unread) + " tokens of a sequence of " +
                       std::to_string(run.context) + " unread; increase data.context");
      for (const auto layer : needs.hidden_layers)
        if (layer < 0 || layer > run.model->layers())
          find(path, "the objective needs hidden layer " + std::to_string(layer) + ", but the model has layers 0 to " +
                         std::to_string(run.model->layers()));
    }
    if (run.steps > 0 && std::all_of(run.objectives.begin(), run.objectives.end(),
                                     [](const WeightedObjective& entry) { return entry.weight == 0; }))
      find(run.objectives.front().objective->identity().instance,
           "every objective has weight 0, so nothing is trained; set a weight other than 0");
    for (const auto& [path, message] : stage_faults(run)) find(path, message);
    for (const auto& [path, message] : data_faults(run, data)) find(path, message);
    const RunLength length{run.steps, run.batch * run.context};
    const auto rate_at = [&](int64_t step) {
      return guard(*run.scheduler, "multiplier", [&] { return run.scheduler->multiplier(step, length); });
    };
    std::vector<int64_t> probed{0, run.steps / 2, run.steps};
    if (run.steps == 0) probed.clear();  // without training, rates are not used
    for (const auto step : probed)
      if (const auto rate = rate_at(step); !std::isfinite(rate) || rate < 0)
        find("scheduler", "the multiplier is " + std::to_string(rate) + " at step " + std::to_string(step) +
                              "; it must be finite and not negative");
    int64_t idle = 0;  // one such update may end a schedule; several mean that it is too short
    while (idle < run.steps && rate_at(run.steps - 1 - idle) == 0) ++idle;
    if (idle > 1)
      find("scheduler",
           "the last " + std::to_string(idle) + " of " + std::to_string(run.steps) +
               " updates have a learning rate of 0; make the schedule as long as the run, or set a minimum rate");
    if (const auto limit = run.model->limit(); limit && *limit < run.context)
      find("data.context", "the model supports at most " + std::to_string(*limit) + " positions");
    if (run.sequence_parallel && run.tensor > 1) {
      if (!run.model->splits_sequence())
        find("resources.mesh.sequence_parallel",
             "the model does not support sequence parallelism; set sequence_parallel = false");
      if (run.context % run.tensor != 0)
        find("data.context", std::to_string(run.context) +
                                 " positions are not divisible by tensor = " + std::to_string(run.tensor) +
                                 "; use a multiple, or set resources.mesh.sequence_parallel = false");
    }
    for (const auto& [label, config] : line.exchanges) {
      const auto path = "exchange." + label;
      const auto& exchange = run.instances.create<Exchange>(config, path);
      const auto refused = guard(exchange, "check", [&] { return export_refusal(exchange, run, line.train); });
      if (!refused.empty()) find(path, "the run cannot be exported: " + refused);
    }
    if (line.resources.mesh.has_processes() && !mesh::has_mpi())
      find("resources.mesh",
           "mpirun needs a build with Open MPI (Debian: libopenmpi-dev, openmpi-bin); install it, then configure and "
           "build again");
    const auto mesh = mesh::shape_mesh(run.tensor, run.data);
    run.compute.device = at::kMeta;  // meta tensors use no memory, because a plan may be made on a smaller machine
    run.build(*mesh, /*draw=*/false);
    for (const auto& [key, message] : init_findings(line.train, run)) find(key, message);
    if (!built) return findings;
    *built = {.parameters = run.parameter_count(),
              .row_flops = run.row_flops(),
              .notes = data_notes(run, data),
              .metrics = {},
              .epoch = run.steps > 0 ? data.epoch(run) : EpochSize{},
              .data = data_summary(run, data)};
    if (const auto flat = updates_at_the_end(rate_at, run.steps); flat > 1)
      (*built)->notes.push_back(
          "scheduler: the last " + std::to_string(flat) + " of " + std::to_string(run.steps) +
          " updates have the lowest learning rate; check whether the schedule should end before the run");
    if (falls_after_the_run_only(rate_at, run.steps))
      (*built)->notes.push_back("scheduler: the last of " + std::to_string(run.steps) +
                                " updates has the highest learning rate, and the schedule decays only after it; check "
                                "the length of its decay");
    for (const auto* component : run.instances.all())
      for (const auto& note : guard(*component, "notes", [&] { return component->notes(); }))
        (*built)->notes.push_back(component->identity().instance + ": " + note);
    for (const auto& entry : run.evaluators) {
      auto& names = (*built)->metrics[entry.label];
      std::vector<record::RecordedMetric> planned;
      for (const auto& metric :
           guard(*entry.evaluator, "planned_metrics", [&] { return entry.evaluator->planned_metrics(assembly); }))
        planned.push_back({.name = metric.name, .coordinates = metric.coordinates});
      for (const auto& metric : record::to_json(planned)) names.push_back(record::metric_name(entry.label, metric));
    }
  } catch (const PluginError& error) {
    find(error.instance(), error.what());
  } catch (const std::exception& error) {
    find("", error.what());
  }
  return findings;
}

}  // namespace assay::run
