#include "scaling/flops.h"

#include "assay/error.h"

namespace assay::scaling {
namespace {

constexpr double kTraining = 3;  // forward, and backward at twice its cost
constexpr const char *kEmbeddings = "embeddings", *kFinalLogits = "final logits";

}  // namespace

double parameters_of(const DecoderShape& shape) {
  const double attention = shape.width * shape.head_width * shape.heads;
  return shape.layers * (5 * attention + 2 * shape.width * shape.ffw) + shape.vocabulary * shape.width;
}

FlopConvention flop_convention(const std::string& name) {
  if (name == "6nd") return FlopConvention::kSixNd;
  if (name == "app_f_literal") return FlopConvention::kAppFLiteral;
  if (name == "layers_only") return FlopConvention::kLayersOnly;
  throw UserError("'" + name + "' is not a FLOP convention; the conventions are 6nd, app_f_literal, layers_only");
}

std::vector<std::pair<std::string, double>> flop_terms(const DecoderShape& shape, double context) {
  const double s = context, d = shape.width, V = shape.vocabulary, all_heads = shape.head_width * shape.heads;
  const double layers = kTraining * shape.layers;
  return {{kEmbeddings, kTraining * 2 * s * V * d},
          {"query, key, value", layers * 2 * 3 * s * d * all_heads},
          {"attention logits", layers * 2 * s * s * all_heads},
          {"softmax", layers * 3 * shape.heads * s * s},
          {"attention reduction", layers * 2 * s * s * all_heads},
          {"attention output", layers * 2 * s * all_heads * d},
          {"feed-forward", layers * 2 * s * (2 * d * shape.ffw)},
          {kFinalLogits, kTraining * 2 * s * d * V}};
}

double flops_per_sequence(const DecoderShape& shape, double context, FlopConvention convention) {
  if (convention == FlopConvention::kSixNd) return 6 * parameters_of(shape) * context;
  double sum = 0;
  for (const auto& [name, flops] : flop_terms(shape, context))
    if (convention == FlopConvention::kAppFLiteral || (name != kEmbeddings && name != kFinalLogits)) sum += flops;
  return sum;
}

}  // namespace assay::scaling
