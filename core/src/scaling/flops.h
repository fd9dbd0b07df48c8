// Training FLOPs of a decoder, term by term, in the conventions of Hoffmann et al. 2022, arXiv:2203.15556, app. F.
// A multiply-add counts two, and the backward pass twice the forward.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace assay::scaling {

struct DecoderShape {
  double layers = 0, width = 0, ffw = 0, heads = 0, head_width = 0, vocabulary = 0;
};

// With a tied embedding and one relative-position matrix per layer, as in Gopher:
// layers (5 d k h + 2 d ffw) + V d.
double parameters_of(const DecoderShape& shape);

enum class FlopConvention {
  kSixNd,        // 6 N D
  kAppFLiteral,  // every term of app. F
  kLayersOnly,   // app. F without embeddings and final logits, which gives the ratios of the paper's table A4
};
// Takes 6nd, app_f_literal and layers_only; throws UserError for another name.
FlopConvention flop_convention(const std::string& name);

// Each term of app. F for the training of one sequence, by name, in the order of a forward pass.
std::vector<std::pair<std::string, double>> flop_terms(const DecoderShape& shape, double context);

// FLOPs of training one sequence of `context` tokens.
double flops_per_sequence(const DecoderShape& shape, double context, FlopConvention convention);

}  // namespace assay::scaling
