#include "run/step.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "run/forward.h"

namespace assay::run {
namespace {

using Denominators = std::map<std::string, double>;  // of one objective

Draws draws_of(const Assembled& run, const std::string& label, int64_t step) {
  return Draws(run.data_seed, "objective/" + label).substream(static_cast<uint64_t>(step));
}

class Prepare final : public PrepareContext {
 public:
  Prepare(Batch& batch, Draws draws, Draws text_draws, Denominators& denominators)
      : batch_(batch), draws_(draws), text_draws_(text_draws), denominators_(denominators) {}
  Batch& batch() override { return batch_; }
  Draws draws() const override { return draws_; }
  Draws text_draws() const override { return text_draws_; }
  void denominator(const std::string& name, double amount) override { denominators_[name] += amount; }

 private:
  Batch& batch_;
  Draws draws_, text_draws_;
  Denominators& denominators_;
};

// State that the objectives share during one micro-batch.
struct MicroBatch {
  Assembled& run;
  const Mesh& mesh;
  int64_t step;
  const Batch& batch;
  std::vector<int64_t> hidden_layers;
  nn::PartialGradients* partial;  // null: not sequence parallel
  bool training = true;
  std::map<std::string, std::unique_ptr<ForwardPass>> forwards{};
  Tensor total{};
  bool counts = false;  // some term of the total has a positive denominator

  ForwardPass& forward(const std::string& name, const Batch& view, Model& model, bool dropout) {
    auto& slot = forwards[name];
    if (!slot) {
      ForwardOptions options;
      options.hidden_layers = hidden_layers;
      // The number depends on the name, not on the call order, so that masks do not depend on it either.
      options.key = {dropout && training, run.data_seed, step,
                     static_cast<int64_t>(name.empty() ? 0 : stream_key(0, name) >> 1)};
      // If a child does not support sequence parallelism, or a view is not divisible, every rank computes all
      // positions.
      const bool splits = model.splits_sequence() && view.length() % mesh.tensor().size() == 0;
      slot = std::make_unique<ForwardPass>(model, view, options, run.vocabulary->size(), mesh, run.compute,
                                           splits ? partial : nullptr);
    }
    return *slot;
  }
};

// A zero whose gradients are zero for all leaves on which `sum` depends. Unlike sum * 0, it is not NaN when the sum or
// its gradient is not finite. Without these zeros, a parameter would have no gradient, so replicas would disagree on
// the gradients to sum, and the optimizer would skip the parameter.
Tensor zero_in_place_of(const Tensor& sum) {
  using torch::autograd::AccumulateGrad;
  auto zero = at::zeros_like(sum.detach());
  if (!sum.requires_grad()) return zero;
  std::vector<torch::autograd::Node*> open{torch::autograd::impl::gradient_edge(sum).function.get()};
  std::set<torch::autograd::Node*> seen;
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    if (!node || !seen.insert(node).second) continue;
    if (const auto* leaf = dynamic_cast<AccumulateGrad*>(node))
      zero = zero + leaf->variable.reshape({-1}).narrow(0, 0, 0).sum().to(zero.scalar_type());
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  return zero;
}

class Loss final : public LossContext {
 public:
  Loss(MicroBatch& micro, const WeightedObjective& entry, Draws draws, const Denominators& denominators,
       Metrics& metrics)
      : micro_(micro), entry_(entry), draws_(draws), denominators_(denominators), metrics_(metrics) {}

  const Batch& batch() const override { return micro_.batch; }
  Forward& forward() override { return micro_.forward("", micro_.batch, *micro_.run.model, true); }
  Forward& forward(const std::string& name, const Batch& view, Model* model, bool dropout) override {
    return micro_.forward(entry_.label + "/" + name, view, model ? *model : *micro_.run.model, dropout);
  }
  Draws draws() const override { return draws_; }
  double denominator(const std::string& name) const override {
    const auto found = denominators_.find(name);
    if (found == denominators_.end()) throw UserError("denominator '" + name + "' is not declared in prepare");
    return std::max(found->second, 1e-12);
  }
  void term(const std::string& name, const Tensor& sum, const std::string& divisor, double weight) override {
    const double whole = denominator(divisor);  // throws for a name that prepare did not declare
    if (sum.numel() != 1)
      throw UserError("term '" + name + "' must have one element, not " + std::to_string(sum.numel()));
    const double counted = denominators_.at(divisor);
    const bool counts = counted > 0;  // otherwise the sum is undefined: a mean over nothing is NaN
    if (counts) nn::watch("objective." + entry_.label + " (term '" + name + "')", sum);
    if (!micro_.training)
      return metrics_.log(entry_.label + "." + name, counts ? sum.item<double>() : 0, counts ? counted : 0);
    if (counts) metrics_.add_part(entry_.label + "." + name, sum.item<double>() / whole);
    const double factor = counts ? entry_.weight * weight / whole : 0;
    micro_.counts |= factor != 0;
    const auto part = counts ? sum * factor : zero_in_place_of(sum);
    micro_.total = micro_.total.defined() ? micro_.total + part : part;
  }

 private:
  MicroBatch& micro_;
  const WeightedObjective& entry_;
  Draws draws_;
  const Denominators& denominators_;
  Metrics& metrics_;
};

// Every replica must have the same names, so prepare must declare a name even if its amount is 0.
void sum_over_replicas(std::vector<Denominators>& all, Communicator& data) {
  std::vector<double> amounts;
  for (const auto& denominators : all)
    for (const auto& [name, amount] : denominators) amounts.push_back(amount);
  data.all_reduce(amounts.data(), amounts.size(), Dtype::kFloat64);
  auto next = amounts.begin();
  for (auto& denominators : all)
    for (auto& [name, amount] : denominators) amount = *next++;
}

// Sums numbers over the ranks of an axis in one all_reduce; null entries are skipped.
void sum_together(std::initializer_list<double*> numbers, Communicator& axis) {
  std::vector<double> sums;
  for (const auto* number : numbers)
    if (number) sums.push_back(*number);
  axis.all_reduce(sums.data(), sums.size(), Dtype::kFloat64);
  auto next = sums.begin();
  for (auto* number : numbers)
    if (number) *number = *next++;
}

std::vector<int64_t> hidden_layers(const Assembled& run) {
  std::set<int64_t> layers;
  for (const auto& entry : run.objectives)
    for (const auto layer : guard(*entry.objective, "needs", [&] { return entry.objective->needs(); }).hidden_layers)
      layers.insert(layer);
  return {layers.begin(), layers.end()};
}

RunLength length_of(const Assembled& run) { return {run.steps, run.batch * run.context}; }

// A model with an encoder predicts nothing before the last token of the source.
void clear_source_weights(Batch& batch) {
  const auto place_T = at::arange(batch.length(), batch.tokens.options());
  const auto is_source_BT = place_T.lt(batch.source_length.unsqueeze(1) - 1);
  if (!batch.loss_weight.defined()) batch.loss_weight = at::ones(batch.tokens.sizes(), at::kFloat);
  batch.loss_weight = batch.loss_weight.masked_fill(is_source_BT, 0.0);
}

}  // namespace

std::vector<Batch> micro_batches(const Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t step) {
  const int64_t rows = run.batch / run.data, first = rows * mesh.data().rank();
  const bool reads_source = guard(*run.model, "has_encoder", [&] { return run.model->has_encoder(); });
  std::vector<Batch> batches;
  for (int64_t row = first; row < first + rows; row += run.micro_batch) {
    const int64_t end = std::min(row + run.micro_batch, first + rows);
    batches.push_back(data.rows(step * run.batch + row, step * run.batch + end, row));
    if (reads_source && batches.back().source_length.defined()) clear_source_weights(batches.back());
  }
  return batches;
}

std::optional<double> accumulate_gradients(Assembled& run, const Mesh& mesh, int64_t step,
                                           std::vector<Batch> micro_batches, Metrics& metrics, Phases* phases,
                                           double* extra_sum) {
  Phases unused;
  auto& time = phases ? *phases : unused;
  for (const auto& entry : run.objectives) entry.objective->set_sink(&metrics, entry.label + ".");
  std::vector<Denominators> denominators(run.objectives.size());
  for (auto& batch : micro_batches)
    for (size_t o = 0; o < run.objectives.size(); ++o) {
      const auto& entry = run.objectives[o];
      Prepare context(batch, draws_of(run, entry.label, step), Draws(run.data_seed, "texts/" + entry.label),
                      denominators[o]);
      guard(*entry.objective, "prepare", [&] { entry.objective->prepare(context); });
    }
  sum_over_replicas(denominators, mesh.data());

  const auto layers = hidden_layers(run);
  double loss = 0, counting = 0;  // number of micro-batches with a positive denominator
  nn::PartialGradients partial;
  const bool split = run.sequence_parallel && mesh.tensor().size() > 1;
  for (const auto& prepared : micro_batches) {
    const auto batch = to_device(prepared, run.compute.device);  // objectives prepared it on the CPU
    MicroBatch micro{run, mesh, step, batch, layers, split ? &partial : nullptr};
    std::optional<ScopedTimer> timed(time.forward);
    for (size_t o = 0; o < run.objectives.size(); ++o) {
      const auto& entry = run.objectives[o];
      Loss context(micro, entry, draws_of(run, entry.label, step), denominators[o], metrics);
      guard(*entry.objective, "loss", [&] { entry.objective->loss(context); });
    }
    if (!micro.total.defined()) throw UserError("no objective returned a term; at least one is needed");
    loss += micro.total.item<double>();
    counting += micro.counts;
    timed.emplace(time.backward);
    micro.total.backward();
  }
  const ScopedTimer timed(time.backward);
  if (split) partial.collect(run.parameters->all(), mesh);
  sum_together({&loss, &counting, extra_sum}, mesh.data());
  if (mesh.data().size() > 1)
    for (auto& parameter : run.parameters->all())
      if (parameter.value.grad().defined()) all_reduce(parameter.value.grad(), mesh.data());
  if (counting == 0 && !std::isnan(loss)) return std::nullopt;
  return loss;
}

std::map<std::string, std::pair<double, double>> objective_sums(Assembled& run, const Mesh& mesh, Batch batch) {
  const c10::NoGradGuard no_grad;
  const auto draws = [&](const WeightedObjective& entry, const char* stream) {
    return Draws(run.data_seed, stream + ("/" + entry.label));
  };
  Metrics metrics;
  std::vector<Denominators> denominators(run.objectives.size());
  for (size_t o = 0; o < run.objectives.size(); ++o) {
    const auto& entry = run.objectives[o];
    Prepare context(batch, draws(entry, "held out"), draws(entry, "held out texts"), denominators[o]);
    entry.objective->set_sink(&metrics, entry.label + ".");
    guard(*entry.objective, "prepare", [&] { entry.objective->prepare(context); });
  }
  const auto moved_batch = to_device(batch, run.compute.device);
  MicroBatch micro{run, mesh, 0, moved_batch, hidden_layers(run), nullptr, /*training=*/false};
  for (size_t o = 0; o < run.objectives.size(); ++o) {
    const auto& entry = run.objectives[o];
    Loss context(micro, entry, draws(entry, "held out"), denominators[o], metrics);
    guard(*entry.objective, "loss", [&] { entry.objective->loss(context); });
  }
  for (const auto& entry : run.objectives) entry.objective->set_sink(nullptr, "");
  return metrics.sums();
}

double gradient_norm(const std::vector<Parameter>& parameters, const Mesh& mesh, double* extra_sum) {
  double sharded = 0, replicated = 0;
  for (const auto& parameter : parameters) {
    const auto& grad = parameter.value.grad();
    if (!grad.defined()) continue;
    const auto squares = grad.to(at::kDouble).pow(2).sum().item<double>();
    (parameter.spec.shard_dim >= 0 ? sharded : replicated) += squares;
  }
  sum_together({&sharded, extra_sum}, mesh.tensor());
  return std::sqrt(sharded + replicated);
}

void call_after_backward(Assembled& run, int64_t step) {
  const StepState state{step, run.parameters->all()};
  for (auto* callback : run.callbacks) guard(*callback, "after_backward", [&] { callback->after_backward(state); });
}

void call_after_step(Assembled& run, int64_t step) {
  const StepState state{step, run.parameters->all()};
  for (auto* callback : run.callbacks) guard(*callback, "after_step", [&] { callback->after_step(state); });
}

double learning_rate(const Assembled& run, int64_t step) {
  const auto& scheduler = *run.scheduler;
  return run.optimizer->peak_rate() *
         guard(scheduler, "multiplier", [&] { return scheduler.multiplier(step, length_of(run)); });
}

void update(Assembled& run, int64_t step, double norm) {
  if (run.clip_norm > 0 && norm > run.clip_norm)
    for (const auto& parameter : run.parameters->all())
      if (auto grad = parameter.value.grad(); grad.defined()) grad.mul_(run.clip_norm / norm);
  const auto& scheduler = *run.scheduler;
  const double decay =
      guard(scheduler, "decay_multiplier", [&] { return scheduler.decay_multiplier(step, length_of(run)); });
  const double lr = learning_rate(run, step);
  const c10::NoGradGuard no_grad;
  guard(*run.optimizer, "step", [&] { run.optimizer->step(lr, decay); });
}

void clear_gradients(std::vector<Parameter>& parameters) {
  for (auto& parameter : parameters) parameter.value.mutable_grad() = Tensor();
}

}  // namespace assay::run
