// assay scaling flops: training FLOPs of a decoder, term by term, beside 6ND.
#include "scaling/flops.h"

#include <fmt/format.h>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/text_table.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

}  // namespace

int scaling_flops(const Arguments& arguments) {
  scaling::DecoderShape shape;
  double context = 0;
  po::options_description options;
  const auto size = [&](const char* name, double& value, const char* help) {
    options.add_options()(name, po::value(&value)->value_name("K"), help);
  };
  size("layers", shape.layers, "layers");
  size("width", shape.width, "width of the residual stream");
  size("ffw", shape.ffw, "width of the feed-forward layers");
  size("heads", shape.heads, "attention heads");
  size("head-width", shape.head_width, "width of a head");
  size("vocabulary", shape.vocabulary, "tokens in the vocabulary");
  size("context", context, "tokens per sequence");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  for (const char* name : {"layers", "width", "ffw", "heads", "head-width", "vocabulary", "context"})
    if (!parsed->options.count(name) || !(parsed->options[name].as<double>() > 0))
      throw UserError(fmt::format("assay scaling flops: --{} must be given, and above 0", name));

  using scaling::FlopConvention;
  const auto six_nd = scaling::flops_per_sequence(shape, context, FlopConvention::kSixNd);
  std::vector<std::vector<std::string>> rows{{"training FLOPs of one sequence", "value", "share of 6ND"}};
  const auto add = [&](const std::string& name, double flops) {
    rows.push_back({name, fmt::format("{:.7g}", flops), fmt::format("{:.5f}", flops / six_nd)});
  };
  for (const auto& [name, flops] : scaling::flop_terms(shape, context)) add(name, flops);
  add("app_f_literal (all terms)", scaling::flops_per_sequence(shape, context, FlopConvention::kAppFLiteral));
  add("layers_only (without embeddings and final logits)",
      scaling::flops_per_sequence(shape, context, FlopConvention::kLayersOnly));
  add("6nd", six_nd);
  fmt::print("{:.0f} parameters: layers (5 d k h + 2 d ffw) + V d\n\n{}", scaling::parameters_of(shape), aligned(rows));
  return kDone;
}

}  // namespace assay::cli
