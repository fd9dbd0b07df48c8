#include "run/other_run.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/sha256.h"
#include "record/layout.h"
#include "record/train_record.h"
#include "run/checkpoint/checkpoint.h"

namespace assay::run {
using nlohmann::json;

OtherRun::OtherRun(const RunReference& reference, Assembled& here, const Mesh& mesh) : here_(here), mesh_(mesh) {
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
  run_ = std::make_unique<Assembled>(here.instances.registry(), line);
  run_->compute = here.compute;
  run_->build(mesh, /*draw=*/false, /*trains=*/false);
  load_weights(layout.weights(), *run_, mesh);
}

Forward& OtherRun::forward(const Batch& batch) {
  if (here_.before_forward) here_.before_forward(/*continues=*/false);
  forward_ = std::make_unique<ForwardPass>(*run_->model, batch, ForwardOptions{}, run_->vocabulary->size(), mesh_,
                                           run_->compute);
  return *forward_;
}

}  // namespace assay::run
