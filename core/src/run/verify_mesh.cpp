#include "run/verify_mesh.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "run/data_spec.h"
#include "run/on_mesh.h"
#include "run/step.h"
#include "run/validate.h"

namespace assay::run {
using nlohmann::json;

namespace {

struct Moment {
  std::optional<double> loss;  // no value: all denominators are 0
  std::vector<NamedTensor> gradients, weights;
};

std::map<int64_t, Moment> train(const loader::Registry& registry, const record::PlanLine& line,
                                const std::set<int64_t>& steps, const std::string& library,
                                const std::filesystem::path& contexts) {
  std::map<int64_t, Moment> moments;
  on_mesh(line, resolve_compute(line), nullptr, [&](const Mesh& mesh, const Compute& here) {
    Assembled run(registry, line);
    run.compute = here;
    run.build(mesh);
    const auto data = data::open_training_data(data_spec(run, line, library, contexts), mesh);
    for (int64_t step = 0; step < *steps.rbegin(); ++step) {
      Metrics unused;
      Moment moment;
      moment.loss = accumulate_gradients(run, mesh, step, micro_batches(run, mesh, *data, step), unused);
      const bool is_compared = steps.count(step + 1) > 0;
      call_after_backward(run, step);
      if (is_compared) moment.gradients = whole_gradients(run, mesh);
      update(run, step, gradient_norm(run.parameters->all(), mesh));
      call_after_step(run, step);
      clear_gradients(run.parameters->all());
      if (is_compared) moment.weights = whole_weights(run, mesh);
      if (is_compared && mesh.first()) moments[step + 1] = std::move(moment);
    }
  });
  return moments;
}

// The relative difference. Two steps without a loss agree; if only one has a loss, they differ.
double difference(const std::optional<double>& found, const std::optional<double>& expected) {
  if (!found && !expected) return 0;
  if (!found || !expected) return std::numeric_limits<double>::infinity();
  return std::abs(*found - *expected) / std::abs(*expected);
}

record::PlanLine on(record::PlanLine line, const record::MeshConfig& mesh) {
  line.resources.mesh = mesh;
  line.resources.micro_batch = std::min(line.train.train.batch / mesh.data, line.resources.micro_batch);
  return line;
}

}  // namespace

double difference(const std::vector<NamedTensor>& found, const std::vector<NamedTensor>& expected) {
  double squares = 0, count = 0;
  for (const auto& [name, value] : expected) {
    squares += value.to(at::kDouble).pow(2).sum().item<double>();
    count += static_cast<double>(value.numel());
  }
  const double rms = std::sqrt(squares / count);
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto value = expected[i].value.to(at::kDouble);
    if (value.numel() == 0) continue;
    const double apart = (found[i].value.to(at::kDouble) - value).abs().max().item<double>();
    const double scale = std::max(value.abs().max().item<double>(), rms);
    if (std::isnan(apart / scale)) return apart / scale;
    largest = std::max(largest, apart / scale);
  }
  return largest;
}

std::vector<MeshVerification> verify_meshes(const loader::Registry& registry, const record::PlanLine& line,
                                            const std::vector<record::MeshConfig>& meshes,
                                            const std::set<int64_t>& steps, const std::string& library,
                                            const std::filesystem::path& contexts) {
  const auto expected = train(registry, on(line, record::MeshConfig{}), steps, library, contexts);
  std::vector<MeshVerification> verifications;
  for (const auto& mesh : meshes) {
    auto& one = verifications.emplace_back();
    const auto there = on(line, mesh);
    if (const auto findings = validate(registry, there); !findings.empty()) {
      one.refused = findings[0].at("message");
      continue;
    }
    const auto found = train(registry, there, steps, library, contexts);
    for (const auto& [step, moment] : expected) {
      const auto& other = found.at(step);
      one.steps.push_back({step, difference(other.loss, moment.loss), difference(other.gradients, moment.gradients),
                           difference(other.weights, moment.weights)});
    }
  }
  return verifications;
}

}  // namespace assay::run
