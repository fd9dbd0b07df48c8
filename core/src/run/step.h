// Gradients of one global step: prepare every micro-batch, sum denominators over all of them and all replicas, then
// forward and backward one by one. So k micro-batches of b give the gradient of one batch of k*b.
#pragma once

#include <vector>

#include "assay/batch.h"
#include "run/assemble.h"
#include "run/metrics.h"

namespace assay {

// This replica's micro-batches of a step. Adds to the parameters' grad(); returns the loss over all replicas.
// Gradients are summed over replicas. Term values and component logs go to `metrics` (of this replica).
double accumulate_gradients(Assembled& run, const Mesh& mesh, int64_t step, std::vector<Batch> micro_batches,
                            Metrics& metrics);

// L2 norm of the whole gradient: shards summed over the tensor ranks, replicated parameters counted once.
double gradient_norm(const std::vector<Parameter>& parameters, const Mesh& mesh);

void scale_gradients(const std::vector<Parameter>& parameters, double factor);
void clear_gradients(std::vector<Parameter>& parameters);

}  // namespace assay
