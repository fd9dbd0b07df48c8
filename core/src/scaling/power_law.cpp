#include "scaling/power_law.h"

#include <cmath>

namespace assay::scaling {

double loss(const PowerLaw& law, double parameters, double tokens) {
  return law.E + law.A * std::pow(parameters, -law.alpha) + law.B * std::pow(tokens, -law.beta);
}

bool has_frontier(const PowerLaw& law) { return law.alpha > 0 && law.beta > 0; }

Frontier frontier_of(const PowerLaw& law) {
  const double sum = law.alpha + law.beta;
  return {.a = law.beta / sum, .b = law.alpha / sum, .G = std::pow(law.alpha * law.A / (law.beta * law.B), 1 / sum)};
}

Optimum optimum(const Frontier& frontier, double flops) {
  const double product = flops / 6;
  return {.flops = flops,
          .parameters = frontier.G * std::pow(product, frontier.a),
          .tokens = std::pow(product, frontier.b) / frontier.G};
}

double flops_for_parameters(const Frontier& frontier, double parameters) {
  return 6 * std::pow(parameters / frontier.G, 1 / frontier.a);
}

// On the frontier both terms fall with the same power of C/6, because a alpha = b beta.
std::optional<double> flops_for_loss(const PowerLaw& law, double loss) {
  if (!(loss > law.E)) return std::nullopt;
  const auto frontier = frontier_of(law);
  const double reducible = law.A * std::pow(frontier.G, -law.alpha) + law.B * std::pow(frontier.G, law.beta);
  return 6 * std::pow(reducible / (loss - law.E), 1 / (frontier.a * law.alpha));
}

}  // namespace assay::scaling
