// Objectives: gradients against finite differences, and positions of weight 0.
#include "assay/objective.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/metrics.h"
#include "run/step.h"

namespace assay::check {
namespace {

struct Step {
  double loss;
  std::vector<run::NamedTensor> gradients;
};

// Loss and gradients of one batch; change() may alter it beforehand.
Step step_of(run::Assembled& run, const Mesh& mesh, data::TrainingData& text,
             const std::function<void(Batch&)>& change = {}) {
  std::vector<Batch> batches{text.rows(0, TinyRun::kBatch, 0)};
  if (change) change(batches[0]);
  run::clear_gradients(run.parameters->all());
  run::Metrics metrics;
  const double loss = run::accumulate_gradients(run, mesh, 0, std::move(batches), metrics).value_or(0);
  return {loss, run::whole_gradients(run, mesh)};
}

std::string finite_differences(const Subject& subject) {
  if (Instance<Objective>(subject)->stops_gradients()) return "";
  std::string wrong;
  TinyRun(subject).on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
    const auto at_first = step_of(run, mesh, text);
    wrong = gradient_fault(
        run.parameters->all(), [&](size_t p) { return at_first.gradients[p].value; },
        [&] { return step_of(run, mesh, text).loss; }, 1e-7);
  });
  return wrong;
}

// Targets of weight 0 may be any id.
std::string ignored_positions(const Subject& subject) {
  std::string wrong;
  TinyRun(subject).on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
    const auto with_targets = [&](int64_t of_ignored) {
      return step_of(run, mesh, text, [&](Batch& batch) {
        batch.loss_weight = at::ones(batch.tokens.sizes(), at::kFloat);
        batch.targets = batch.targets.clone();
        for (const int64_t at : {2, 5, 11}) {
          batch.loss_weight.select(1, at).fill_(0);
          batch.targets.select(1, at).fill_(of_ignored);
        }
      });
    };
    const auto one = with_targets(3), other = with_targets(7);
    if (one.loss != other.loss)
      wrong = "the loss is " + std::to_string(one.loss) + " or " + std::to_string(other.loss) +
              ", depending on the targets at positions of weight 0";
    else
      wrong = difference(one.gradients, other.gradients, 0);
  });
  return wrong;
}

// A mean over nothing is NaN unless the core divides. Without padding, only terms that do not use targets have a
// positive denominator.
std::string nothing_to_count(const Subject& subject) {
  std::string wrong;
  for (const bool padding : {true, false}) {
    if (!wrong.empty()) break;
    TinyRun(subject).on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
      const auto found = step_of(run, mesh, text, [&](Batch& batch) {
        if (padding) batch.key_mask = at::zeros(batch.tokens.sizes(), at::kBool);
        batch.loss_weight = at::zeros(batch.tokens.sizes(), at::kFloat);
      });
      if (!std::isfinite(found.loss)) wrong = "the loss is " + std::to_string(found.loss);
      for (const auto& [name, gradient] : found.gradients)
        if (wrong.empty() && !at::isfinite(gradient).all().item<bool>())
          wrong = "the gradient of " + name + " is not finite";
      if (!wrong.empty())
        wrong += std::string(" if every token ") + (padding ? "is padding of weight 0" : "has weight 0") +
                 "; return sums, and let the core divide";
    });
  }
  return wrong;
}

}  // namespace

void objective(const Subject& subject) {
  subject.property("its gradients agree with finite differences in fp64, unless it stops gradients",
                   [&] { return finite_differences(subject); });
  subject.property("positions of weight 0 do not count", [&] { return ignored_positions(subject); });
  subject.property("a batch of padding gives no NaN", [&] { return nothing_to_count(subject); });
}

}  // namespace assay::check
