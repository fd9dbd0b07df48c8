#include "run/same_run.h"

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "assay/random.h"

namespace assay::run {
using nlohmann::json;

void compare_ranks(const record::PlanLine& line, const std::string& library, const Mesh& mesh) {
  const auto hash = static_cast<int64_t>(stream_key(0, line.text() + library) >> 1);
  for (auto* axis : {&mesh.tensor(), &mesh.data()}) {
    int64_t ends[2] = {hash, -hash};
    axis->all_reduce_max(ends, 2, Dtype::kInt64);
    if (ends[0] != hash || ends[1] != -hash)
      throw UserError("ranks have different runs or libraries; start them from the same plan line and build");
  }
}

std::string changes(const std::string& before, const std::string& now) {
  const auto one = json::parse(before), other = json::parse(now);
  std::string names = one.value("training", "") == other.value("training", "") ? "" : "the training library";
  for (const auto& [name, plugin] : other.at("plugins").items())
    if (one.value(json::json_pointer("/plugins") / name, json()) != plugin) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace assay::run
