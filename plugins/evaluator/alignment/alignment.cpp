// Alignment and uniformity of text representations. Wang and Isola 2020, arXiv:2005.10242, sec. 4.1, with vectors of
// norm 1, a = 2 and t = 2. Positive pairs are a text and a crop of it, as in COCO-LM's training (Meng et al. 2021,
// arXiv:2102.08473, sec. 3.2).
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include "../../shared/cocolm_views.h"
#include "../../shared/encoder_tokens.h"
#include "../blocks.h"
#include "../sequences.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;
using assay::Tensor;
using assay::evaluation::Sequence;

class Alignment final : public assay::Evaluator {
 public:
  struct Config {
    int64_t texts = 256, length = 64;
    double crop_fraction = 0.9;
    std::string pooling = "cls";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Compares texts and crops of them by one vector each: mean cosine of a text with its crop "
            "(crop_similarity) and with another text (random_similarity), their difference (similarity_gap), "
            "mean squared distance between a text and its crop (alignment), and ln of the mean of e^(-2 "
            "squared distance) between two texts (uniformity).")
        .paper("arXiv:2005.10242")
        .param("texts", &Config::texts, "Number of pieces of the split, evenly spaced.", 2)
        .param("length", &Config::length, "Tokens per piece, without [CLS].", 2)
        .param("crop_fraction", &Config::crop_fraction, "Share of a piece that its crop keeps.", 0, 1)
        .param("pooling", &Config::pooling,
               "Vector of a text: the final state of [CLS], or the mean of the text's final states.", {"cls", "mean"});
  }
  explicit Alignment(const Config& config) : config_(config) {
    if (assay::cocolm::crop_size(config_.length, config_.crop_fraction) < 1)
      throw assay::UserError("a crop_fraction of " + std::to_string(config_.crop_fraction) +
                             " leaves no token of a text of " + std::to_string(config_.length) + " tokens; raise it");
  }

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    return assay::evaluation::findings_of_bidirectional(assembly);
  }
  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {assay::encoder::kCls, assay::encoder::kPad}) tokens.declare(name);
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_blocks(check, config_.length, 2);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    return {{.name = "crop_similarity"},
            {.name = "random_similarity"},
            {.name = "similarity_gap"},
            {.name = "alignment"},
            {.name = "uniformity"}};
  }

  void evaluate(assay::EvaluationContext& context) override {
    if (const auto limit = context.model().limit(); limit && *limit < config_.length + 1)
      return report(context, {0, 0, 0, 0}, false);
    std::vector<Sequence> texts, crops;
    for (const auto& block : assay::evaluation::even_blocks(context, config_.length, config_.texts)) {
      const auto draws = context.draws().substream(texts.size());
      const auto crop = assay::cocolm::crop_of(config_.length, config_.crop_fraction, draws);
      texts.push_back(block.ids);
      crops.emplace_back(block.ids.begin() + crop.begin, block.ids.begin() + crop.begin + crop.size);
    }
    if (texts.size() < 2)
      throw assay::UserError("there is only one text of " + std::to_string(config_.length) +
                             " tokens, and two are needed; give a shorter length or more text");
    assay::evaluation::Work work(context, static_cast<double>(texts.size() + crops.size()));
    const auto unit = [&](const std::vector<Sequence>& sequences) {
      const auto x = assay::evaluation::represented(context, sequences, config_.pooling, work);
      return x / at::linalg_vector_norm(x, 2, -1, /*keepdim=*/true).clamp_min(1e-300);
    };
    const auto text_ND = unit(texts), crop_ND = unit(crops);
    const auto own_N = (text_ND * crop_ND).sum(1);
    const auto cosine_NN = at::matmul(text_ND, text_ND.t());
    const auto n = static_cast<double>(texts.size()), pairs = n * (n - 1);
    // The squared distance of vectors of norm 1 is 2 - 2 cosine; a text's distance to itself is left out.
    const auto off_diagonal = [&](const Tensor& x) { return (x.sum() - x.diagonal().sum()).item<double>() / pairs; };
    report(context,
           {own_N.mean().item<double>(), off_diagonal(cosine_NN), (2 - 2 * own_N).mean().item<double>(),
            std::log(off_diagonal((4 * cosine_NN - 4).exp()))},
           true);
  }

 private:
  struct Found {
    double crop_similarity, random_similarity, alignment, uniformity;
  };
  static void report(assay::EvaluationContext& context, const Found& found, bool available) {
    const auto add = [&](const char* name, double value, const char* unit, Direction direction) {
      context.metric({name, value, 1, unit, direction, {}, available});
    };
    add("crop_similarity", found.crop_similarity, "cosine", Direction::kNone);
    add("random_similarity", found.random_similarity, "cosine", Direction::kNone);
    add("similarity_gap", found.crop_similarity - found.random_similarity, "cosine", Direction::kHigher);
    add("alignment", found.alignment, "squared distance", Direction::kLower);
    add("uniformity", found.uniformity, "ln", Direction::kLower);
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("alignment", "1.1.0", assay::component<Alignment>("alignment"))
