#include "assay/testing.h"

#include <nlohmann/json.hpp>

#include "check/central_difference.h"
#include "check/check.h"
#include "check/stand_ins.h"
#include "check/tiny_run.h"
#include "loader/instances.h"
#include "mesh/backends.h"
#include "nn/store.h"
#include "run/decode/decode.h"
#include "run/evaluate.h"
#include "run/step.h"
#include "worker/client.h"

namespace assay::testing {
namespace {

const loader::Registry& registry() {
  static const auto* made = [] {
    auto* with_stand_ins = new loader::Registry(loader::plugin_files(worker::plugin_folders("")));
    with_stand_ins->add(check::stand_ins());
    return with_stand_ins;
  }();
  return *made;
}

check::Subject subject_of(const std::string& kind, const std::string& name, const std::string& parameters) {
  static const check::Observer nobody{{}, [](const check::Finding&) {}};
  return {registry(), kind, name, nlohmann::json::parse(parameters), nobody};
}

}  // namespace

std::pair<std::shared_ptr<void>, void*> make_component(const std::string& kind, const std::string& kind_hash,
                                                       const std::string& name, const std::string& parameters) {
  auto given = nlohmann::json::parse(parameters);
  given["use"] = name;
  auto instances = std::make_shared<loader::Instances>(registry());
  auto* component = instances->create(kind, kind_hash, given, kind);
  return {std::move(instances), component};
}

void on_ranks(int tensor, const std::function<void(const Mesh&)>& body) {
  mesh::run_ranks(tensor, 1, [&](Mesh& mesh) { body(mesh); });
}

Built::Built(const std::vector<Component*>& components, const Mesh& mesh, uint64_t seed, at::ScalarType type)
    : prefix_(components.back()->identity().instance + "."),
      store_(std::make_shared<Parameters::Store>(Parameters::Store{&mesh, at::TensorOptions().dtype(type), seed})) {
  for (auto* component : components) {
    Parameters scope(store_, component->identity().instance + ".");
    component->build(scope);
  }
}

std::vector<Parameter>& Built::parameters() const { return store_->parameters; }

Tensor Built::parameter(const std::string& name) const {
  for (const auto& one : store_->parameters)
    if (one.spec.name == prefix_ + name) return one.value;
  throw UserError("parameter '" + name + "' does not exist");
}

std::vector<double> values_of(const Tensor& x) {
  const auto flat = x.detach().to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

std::vector<double> finite_differences(const Tensor& x, const std::function<double()>& f, double h) {
  if (x.scalar_type() != at::kDouble || !x.is_contiguous())
    throw UserError("finite differences need a contiguous fp64 tensor");
  std::vector<double> out;
  for (int64_t i = 0; i < x.numel(); ++i) out.push_back(central_difference(x, i, f, h));
  return out;
}

std::vector<std::string> faults(const std::string& kind, const std::string& name, const std::string& parameters) {
  std::vector<std::string> found;
  check::check_component(registry(), kind, name, nlohmann::json::parse(parameters),
                         {{}, [&](const check::Finding& finding) {
                            if (!finding.passed()) found.push_back(finding.property + ": " + finding.fault);
                          }});
  return found;
}

std::vector<double> tiny_losses(const std::string& kind, const std::string& name, const std::string& parameters,
                                int tensor, int64_t updates) {
  check::TinyRun tiny(subject_of(kind, name, parameters));
  tiny.mesh(tensor, 1);
  std::vector<double> losses;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    for (int64_t step = 0; step < updates; ++step) {
      const double loss = check::gradients(run, mesh, data, step);
      run::clear_gradients(run.parameters->all());
      check::train(run, mesh, data, step, step + 1);
      if (mesh.first()) losses.push_back(loss);
    }
  });
  return losses;
}

std::vector<int64_t> tiny_decode(const std::string& name, const std::string& parameters, uint64_t seed) {
  const auto subject = subject_of("decoder", name, parameters);
  std::vector<int64_t> ids;
  check::TinyRun(subject).on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const check::Instance<Decoder> decoder(subject);
    for (auto* component : decoder.all()) component->bind(*run.vocabulary);
    ids = run::decode(run, mesh, *decoder, {run::encoded(*run.tokenizer, {"ab ab"}), 12, seed})[0].ids;
  });
  return ids;
}

std::map<std::string, double> tiny_metrics(const std::string& name, const std::string& parameters) {
  std::map<std::string, double> metrics;
  check::TinyRun(subject_of("evaluator", name, parameters))
      .on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
        for (const auto& metric : run::evaluate(run, mesh, run.evaluators[0], 0).metrics)
          metrics[metric.name] = metric.value;
      });
  return metrics;
}

}  // namespace assay::testing
