#include "plan/budget.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "base/text.h"
#include "document/key_path.h"
#include "document/merge.h"
#include "schema/sections.h"

namespace assay::plan {
namespace {

using nlohmann::json;

bool is_int(const json& section, const char* key) {
  return section.contains(key) && section.at(key).is_number_integer();
}

// The worker checks whether this machine has the device.
void check_device(const json& resources, const document::Node& document, document::Diagnostics& diagnostics) {
  const auto& device = resources.at("device");
  if (!device.is_string()) return;
  const auto name = device.get<std::string>();
  static const std::regex known("auto|cpu|cuda(:[0-9]{1,2})?");
  if (!std::regex_match(name, known))
    diagnostics.add(document::nearest_position(document, {"resources", "device"}),
                    fmt::format("unknown device '{}'; available: auto, cpu, cuda, or cuda:1 for the second GPU", name));
}

json resolved_mesh(const document::Node& document, schema::Resolver& resolver) {
  const document::Node empty{document::Table{}, document.position};
  const auto* given = document::find_path(document, {"resources", "mesh"});
  auto mesh = resolver.section(given && given->is_table() ? *given : empty, schema::section_parameters("mesh"),
                               "resources.mesh");
  const bool known_size = is_int(mesh, "tensor") && is_int(mesh, "data");
  const bool alone = known_size && mesh.at("tensor") == 1 && mesh.at("data") == 1;
  const auto backend =
      mesh.contains("backend") && mesh.at("backend").is_string() ? mesh.at("backend").get<std::string>() : "threads";
  const auto position = document::nearest_position(document, {"resources", "mesh", "backend"});
  if (backend != "self" && backend != "threads" && backend != "mpi" && backend != "nccl") {
    resolver.diagnostics().add(position,
                               fmt::format("unknown mesh backend '{}'; available: self, threads, mpi, nccl", backend));
  } else if (backend == "self" && known_size && !alone) {
    resolver.diagnostics().add(position, "mesh backend 'self' has one rank; use threads or mpi for tensor * data > 1");
  }
  const bool processes = backend == "mpi" || backend == "nccl";
  for (const char* key : {"mpirun", "check_calls"})
    if (mesh.contains(key) && !processes)
      resolver.diagnostics().add(
          document::nearest_position(document, {"resources", "mesh", key}),
          fmt::format("'{}' applies only to ranks that are processes; set backend = \"mpi\", or \"nccl\" with GPUs",
                      key));
  mesh["backend"] = alone ? "self" : backend;  // one rank needs no locking
  return mesh;
}

double tokens_within(const json& budget, int64_t parameters) {
  const std::string kind = budget.at("kind");
  const double target = budget.at("target"), size = static_cast<double>(parameters);
  return kind == "flops" ? target / (6 * size) : kind == "tokens_per_parameter" ? target * size : target;
}

}  // namespace

bool needs_model_size(const json& budget) {
  const auto kind = budget.is_object() ? budget.value("kind", "") : "";
  return kind == "flops" || kind == "tokens_per_parameter";
}

std::string too_small(const json& budget, int64_t tokens_per_step, int64_t parameters) {
  const double steps = tokens_within(budget, parameters) / static_cast<double>(tokens_per_step);
  if (steps >= 1) return "";
  const double target = budget.at("target");
  return fmt::format(
      "{} = {:g} is {:.2g} of a step of this model ({} parameters, {} tokens per step); its smallest budget is "
      "{:.4g}",
      budget.at("kind").get<std::string>(), target, steps, base::grouped(parameters), base::grouped(tokens_per_step),
      target / steps);
}

int64_t steps_within(const json& budget, int64_t tokens_per_step, int64_t parameters) {
  const double tokens = tokens_within(budget, parameters);
  // Beyond 2^53 a double cannot represent every whole number of steps, and no run is that long.
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(tokens / static_cast<double>(tokens_per_step), 9e15)));
}

json resolve_train(const document::Node& document, const json& context, json& budget, schema::Resolver& resolver) {
  auto& diagnostics = resolver.diagnostics();
  const auto* node = document.as<document::Table>()->find("train");
  if (!node) {
    diagnostics.add(document.position, "the experiment needs [train] with 'batch' and 'steps' or another budget");
    return json::object();
  }
  auto train = resolver.section(*node, schema::section_parameters("train"), "[train]");
  if (!node->is_table()) return train;  // reported
  std::vector<std::string> given;
  for (const auto& entry : node->as<document::Table>()->entries)
    if (document::is_budget(entry.key)) given.push_back(entry.key);
  if (given.size() > 1)
    diagnostics.add(
        document::nearest_position(document, {"train", given[1]}),
        fmt::format("[train] must have only one of 'steps', 'tokens', 'flops' and 'tokens_per_parameter', but has {}",
                    fmt::join(given, " and ")));
  if (given.empty())
    diagnostics.add(node->position, "[train] needs one of 'steps', 'tokens', 'flops' and 'tokens_per_parameter'");
  if (given.size() != 1) return train;
  const auto& kind = given[0];
  if (!train.contains(kind) || !train[kind].is_number()) return train;  // reported
  budget = {{"kind", kind}, {"target", train[kind]}};
  if (kind == "steps") return train;
  train.erase(kind);
  if (needs_model_size(budget)) {
    train["steps"] = 0;  // until the model has been measured: without training, no schedule is validated
  } else if (is_int(train, "batch") && context.is_number_integer()) {
    const auto batch = train.at("batch").get<int64_t>(), per_step = batch * context.get<int64_t>();
    train["steps"] = steps_within(budget, per_step, 0);
    if (is_int(budget, "target") && budget.at("target") < per_step)
      diagnostics.add(document::nearest_position(document, {"train", kind}),
                      fmt::format("'tokens' is {}, but one step has {} tokens (batch {} x context {}); set at least {} "
                                  "tokens, or steps",
                                  base::grouped(budget.at("target").get<int64_t>()), base::grouped(per_step), batch,
                                  context.get<int64_t>(), base::grouped(per_step)));
  }
  return train;
}

json resolve_resources(const document::Node& document, const json& batch, schema::Resolver& resolver) {
  auto& diagnostics = resolver.diagnostics();
  const document::Node empty{document::Table{}, document.position};
  const auto* node = document.as<document::Table>()->find("resources");
  const bool is_given = node && node->is_table();  // another type is reported with the sections
  auto resources = resolver.section(is_given ? *node : empty, schema::section_parameters("resources"), "[resources]");
  check_device(resources, document, diagnostics);
  resources["mesh"] = resolved_mesh(document, resolver);
  if (!batch.is_number_integer() || !is_int(resources.at("mesh"), "data")) return resources;
  const auto size = batch.get<int64_t>(), replicas = resources.at("mesh").at("data").get<int64_t>();
  const auto batch_position = document::nearest_position(document, {"train", "batch"});
  if (size % replicas != 0) {
    diagnostics.add(
        batch_position,
        fmt::format("batch {} is not divisible by the {} replicas (resources.mesh.data); use a multiple of {}", size,
                    replicas, replicas));
    return resources;
  }
  if (!resources.contains("micro_batch")) resources["micro_batch"] = size / replicas;
  if (is_int(resources, "micro_batch") && resources.at("micro_batch").get<int64_t>() > size / replicas) {
    diagnostics.add(document::nearest_position(document, {"resources", "micro_batch"}),
                    fmt::format("micro_batch {} must be at most the batch per replica, {} / {} = {}",
                                resources.at("micro_batch").get<int64_t>(), size, replicas, size / replicas));
  }
  return resources;
}

}  // namespace assay::plan
