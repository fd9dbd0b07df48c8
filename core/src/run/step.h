// One update, piece by piece. Gradients of a step: prepare every micro-batch, sum denominators over all of them and all
// replicas, then forward and backward one by one. So k micro-batches of b give the gradient of one batch of k*b.
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

// This replica's rows of a step; the last may be smaller.
std::vector<Batch> micro_batches(const Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t step);

// Of this replica's micro-batches. Adds to the parameters' grad(); returns the loss over all replicas, or nothing when
// no term has anything to count on any of them (a denominator of 0). Gradients are summed over replicas. Values of
// terms that count and component logs go to `metrics` (of this replica), the time to `phases`. `along`, where given, is
// summed over the replicas in the loss's own call.
std::optional<double> accumulate_gradients(Assembled& run, const Mesh& mesh, int64_t step,
                                           std::vector<Batch> micro_batches, Metrics& metrics, Phases* phases = nullptr,
                                           double* along = nullptr);

// What the objectives make of one batch without dropout and gradients: sums and weights of their terms and of what they
// log, "<label>.<name>". Draws are of streams of their own, the same at any step.
std::map<std::string, std::pair<double, double>> objective_sums(Assembled& run, const Mesh& mesh, Batch batch);

// L2 norm of the whole gradient: shards summed over the tensor ranks, replicated parameters counted once. `along`,
// where given, is summed over the tensor ranks in the same call.
double gradient_norm(const std::vector<Parameter>& parameters, const Mesh& mesh, double* along = nullptr);

// What callbacks do between backward and norm, and after the update.
void call_after_backward(Assembled& run, int64_t step);
void call_after_step(Assembled& run, int64_t step);

// The rate of a step, by the schedule.
double learning_rate(const Assembled& run, int64_t step);
// Clips by the gradient's norm and lets the optimizer do its update.
void update(Assembled& run, int64_t step, double norm);
void clear_gradients(std::vector<Parameter>& parameters);

}  // namespace assay::run
