// The parts of one update. Gradients of a step: prepare every micro-batch, sum the denominators over all micro-batches
// and replicas, then run forward and backward for each. Therefore k micro-batches of size b give the gradient of one
// batch of size k*b.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/batch.h"
#include "data/training_data.h"
#include "run/assemble.h"
#include "run/metrics.h"
#include "run/phases.h"

namespace assay::run {

// This replica's micro-batches of a step; the last may be smaller.
std::vector<Batch> micro_batches(const Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t step);

// Accumulates the gradients of this replica's micro-batches in the parameters' grad() and sums them over replicas.
// Returns the loss over all replicas, or no value when all denominators are 0 on all of them. Values of terms with a
// positive denominator and metrics of components go to `metrics` (of this replica), durations to `phases`. `extra_sum`,
// if given, is summed over the replicas in the all_reduce of the loss.
std::optional<double> accumulate_gradients(Assembled& run, const Mesh& mesh, int64_t step,
                                           std::vector<Batch> micro_batches, Metrics& metrics, Phases* phases = nullptr,
                                           double* extra_sum = nullptr);

// Evaluates the objectives on one batch without dropout and gradients: sums and weights of their terms and logged
// metrics, by "<label>.<name>". The draws come from separate streams and are the same at any step.
std::map<std::string, std::pair<double, double>> objective_sums(Assembled& run, const Mesh& mesh, Batch batch);

// L2 norm of the whole gradient: shards are summed over the tensor ranks, replicated parameters count once.
// `extra_sum`, if given, is summed over the tensor ranks in the same all_reduce.
double gradient_norm(const std::vector<Parameter>& parameters, const Mesh& mesh, double* extra_sum = nullptr);

// Run the callbacks between the backward pass and the gradient norm, and after the update.
void call_after_backward(Assembled& run, int64_t step);
void call_after_step(Assembled& run, int64_t step);

// The learning rate of a step.
double learning_rate(const Assembled& run, int64_t step);
// Clips the gradient by its norm and runs the optimizer.
void update(Assembled& run, int64_t step, double norm);
void clear_gradients(std::vector<Parameter>& parameters);

}  // namespace assay::run
