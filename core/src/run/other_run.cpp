#include "run/other_run.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/sha256.h"
#include "record/layout.h"
#include "record/train_record.h"
#include "run/checkpoint/checkpoint.h"
#include "run/model_use.h"

namespace assay::run {
using nlohmann::json;

std::unique_ptr<TrainedRun> other_run(const RunReference& reference, Assembled& here, const Mesh& mesh) {
  const record::RunLayout layout(reference.folder);
  if (!record::has_record(layout.train_record()) || !std::filesystem::exists(layout.weights()))
    throw UserError(reference.folder + ": the run has no finished training with weights; run it first");
  if (!reference.weights_sha256.empty() && base::sha256_of_file(layout.weights()) != reference.weights_sha256)
    throw UserError(layout.weights().string() + ": the file has changed since the run began; start the run again");
  const auto record = json::parse(base::read_file(layout.train_record()));
  record::PlanLine line;
  line.train = record::TrainConfig::from_json(record.at("config"), layout.train_record().string() + ": config");
  line.resources.mesh.tensor = here.tensor;
  line.resources.mesh.data = here.data;
  line.resources.threads = here.threads;
  line.resources.micro_batch = here.micro_batch;
  auto run = std::make_unique<Assembled>(here.instances.registry(), line);
  run->compute = here.compute;
  run->build(mesh, /*draw=*/false, /*trains=*/false);
  load_weights(layout.weights(), *run, mesh);
  return std::make_unique<ModelUse>(std::move(run), here, mesh);
}

}  // namespace assay::run
