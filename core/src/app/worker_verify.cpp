#include "app/worker_verify.h"

#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "run/verify_mesh.h"

namespace assay::app {
using nlohmann::json;

json worker_verify(const json& request) {
  auto line = record::PlanLine::from_json(request.at("line"));
  check_paths(line.train);
  const auto registry = registry_of(line.plugins);
  line.evaluate.clear();
  line.trackers.clear();
  std::vector<record::MeshConfig> meshes;
  for (const auto& mesh : request.at("meshes")) meshes.push_back(record::MeshConfig::from_json(mesh, "meshes"));
  const auto steps = request.at("steps").get<std::set<int64_t>>();
  json answer = json::array();
  for (const auto& precision : request.at("precisions")) {
    line.train.train.precision = precision;
    const auto found =
        run::verify_meshes(registry, line, meshes, steps, training_code(), request.at("contexts").get<std::string>());
    for (size_t i = 0; i < meshes.size(); ++i) {
      const json of{{"precision", precision}, {"mesh", meshes[i].to_json()}};
      if (!found[i].refused.empty()) {
        answer.push_back(of);
        answer.back()["refused"] = found[i].refused;
      }
      for (const auto& [step, loss, gradients, weights] : found[i].steps) {
        answer.push_back(of);
        answer.back().update({{"step", step}, {"loss", loss}, {"gradients", gradients}, {"weights", weights}});
      }
    }
  }
  return answer;
}

}  // namespace assay::app
