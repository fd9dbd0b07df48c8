// The parametric form of the loss, L(N, D) = E + A / N^alpha + B / D^beta, and its compute-optimal frontier in closed
// form under C = 6ND. Hoffmann et al. 2022, arXiv:2203.15556, eq. 2 and 4.
#pragma once

#include <optional>

namespace assay::scaling {

struct PowerLaw {
  double A = 0, B = 0, E = 0;  // nats per token at N = 1, D = 1, and what remains at infinity
  double alpha = 0, beta = 0;
};

// Nats per token.
double loss(const PowerLaw& law, double parameters, double tokens);

// Whether both terms fall. Otherwise there is no optimum, and the functions below must not be called.
bool has_frontier(const PowerLaw& law);

// N_opt = G (C/6)^a and D_opt = (C/6)^b / G.
struct Frontier {
  double a = 0, b = 0, G = 0;
};
Frontier frontier_of(const PowerLaw& law);

// The model and the data that reach the lowest loss for a budget.
struct Optimum {
  double flops = 0, parameters = 0, tokens = 0;
  double tokens_per_parameter() const { return tokens / parameters; }
};
Optimum optimum(const Frontier& frontier, double flops);

// The budget for which this many parameters are optimal.
double flops_for_parameters(const Frontier& frontier, double parameters);

// The budget with which the frontier reaches this loss; nothing for a loss that is not above E.
std::optional<double> flops_for_loss(const PowerLaw& law, double loss);

}  // namespace assay::scaling
