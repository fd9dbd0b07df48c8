#include "app/worker_verify.h"

#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "run/verify_mesh.h"

namespace assay::app {
using nlohmann::json;

json worker_verify(const json& request) {
  auto line = request.at("line");
  check_paths(line.at("train"));
  const auto registry = registry_of(line);
  line["evaluate"] = line["trackers"] = json::array();
  const auto meshes = request.at("meshes").get<std::vector<json>>();
  const auto steps = request.at("steps").get<std::set<int64_t>>();
  json answer = json::array();
  for (const auto& precision : request.at("precisions")) {
    line["train"]["train"]["precision"] = precision;
    const auto found =
        run::verify_meshes(registry, line, meshes, steps, training_code(), request.at("contexts").get<std::string>());
    for (size_t i = 0; i < meshes.size(); ++i) {
      const json of{{"precision", precision}, {"mesh", meshes[i]}};
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
