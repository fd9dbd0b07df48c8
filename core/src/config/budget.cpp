#include "config/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "config/key_path.h"
#include "config/sections.h"

namespace assay::config {
namespace {

using nlohmann::json;

bool is_int(const json& section, const char* key) {
  return section.contains(key) && section.at(key).is_number_integer();
}

// Whether this machine has it is found out by the worker.
void check_device(const json& resources, const Node& document, Diagnostics& diagnostics) {
  const auto& device = resources.at("device");
  if (!device.is_string()) return;
  const auto name = device.get<std::string>();
  static const std::regex known("auto|cpu|cuda(:[0-9]{1,2})?");
  if (!std::regex_match(name, known))
    diagnostics.add(nearest_position(document, {"resources", "device"}),
                    fmt::format("unknown device '{}'; there are auto, cpu, cuda, and cuda:1 for the second GPU", name));
}

json resolved_mesh(const Node& document, Resolver& resolver) {
  const Node empty{Table{}, document.position};
  const auto* given = find_path(document, {"resources", "mesh"});
  auto mesh =
      resolver.section(given && given->is_table() ? *given : empty, section_parameters("mesh"), "resources.mesh");
  const bool known_size = is_int(mesh, "tensor") && is_int(mesh, "data");
  const bool alone = known_size && mesh.at("tensor") == 1 && mesh.at("data") == 1;
  const auto backend =
      mesh.contains("backend") && mesh.at("backend").is_string() ? mesh.at("backend").get<std::string>() : "threads";
  const auto position = nearest_position(document, {"resources", "mesh", "backend"});
  if (backend != "self" && backend != "threads" && backend != "mpi" && backend != "nccl") {
    resolver.diagnostics().add(
        position, fmt::format("unknown mesh backend '{}'; there are self, threads, mpi and nccl", backend));
  } else if (backend == "self" && known_size && !alone) {
    resolver.diagnostics().add(position, "mesh backend 'self' is one rank; for tensor * data > 1 take threads or mpi");
  }
  const bool processes = backend == "mpi" || backend == "nccl";
  for (const char* key : {"mpirun", "check_calls"})
    if (mesh.contains(key) && !processes)
      resolver.diagnostics().add(nearest_position(document, {"resources", "mesh", key}),
                                 fmt::format("'{}' is for ranks that are processes; with it goes backend = \"mpi\", or "
                                             "\"nccl\" with GPUs",
                                             key));
  mesh["backend"] = alone ? "self" : backend;  // one rank needs no locking
  return mesh;
}

}  // namespace

json resolve_train(const Node& document, const json& context, Resolver& resolver) {
  auto& diagnostics = resolver.diagnostics();
  const auto* node = document.as<Table>()->find("train");
  if (!node) {
    diagnostics.add(document.position, "the experiment needs [train] with 'batch' and one of 'steps' and 'tokens'");
    return json::object();
  }
  auto train = resolver.section(*node, section_parameters("train"), "[train]");
  if (!node->is_table()) return train;  // reported
  const bool has_steps = train.contains("steps"), has_tokens = train.contains("tokens");
  const auto* table = node->as<Table>();
  const bool asks_for_more = table->find("flops") || table->find("tokens_per_parameter");
  if (has_steps && has_tokens)
    diagnostics.add(nearest_position(document, {"train", "tokens"}),
                    "[train] takes one of 'steps' and 'tokens', but has both");
  if (!has_steps && !has_tokens && !asks_for_more)
    diagnostics.add(node->position, "[train] needs one of 'steps' and 'tokens'");
  if (is_int(train, "tokens") && is_int(train, "batch") && context.is_number_integer()) {
    const auto tokens_per_step = train.at("batch").get<int64_t>() * context.get<int64_t>();
    train["steps"] = std::max<int64_t>(1, train.at("tokens").get<int64_t>() / tokens_per_step);
  }
  train.erase("tokens");
  return train;
}

json resolve_resources(const Node& document, const json& batch, Resolver& resolver) {
  auto& diagnostics = resolver.diagnostics();
  const Node empty{Table{}, document.position};
  const auto* node = document.as<Table>()->find("resources");
  const bool is_given = node && node->is_table();  // another type is reported with the sections
  auto resources = resolver.section(is_given ? *node : empty, section_parameters("resources"), "[resources]");
  check_device(resources, document, diagnostics);
  resources["mesh"] = resolved_mesh(document, resolver);
  if (!batch.is_number_integer() || !is_int(resources.at("mesh"), "data")) return resources;
  const auto size = batch.get<int64_t>(), replicas = resources.at("mesh").at("data").get<int64_t>();
  const auto batch_position = nearest_position(document, {"train", "batch"});
  if (size % replicas != 0) {
    diagnostics.add(
        batch_position,
        fmt::format("batch {} does not divide over {} replicas (resources.mesh.data); take a multiple of {}", size,
                    replicas, replicas));
    return resources;
  }
  if (!resources.contains("micro_batch")) resources["micro_batch"] = size / replicas;
  if (is_int(resources, "micro_batch") && resources.at("micro_batch").get<int64_t>() > size / replicas) {
    diagnostics.add(nearest_position(document, {"resources", "micro_batch"}),
                    fmt::format("micro_batch {} is more than a replica's share of the batch: {} / {} = {}",
                                resources.at("micro_batch").get<int64_t>(), size, replicas, size / replicas));
  }
  return resources;
}

}  // namespace assay::config
