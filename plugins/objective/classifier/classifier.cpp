// A classifier of whole rows on the states of the model: a dense layer with tanh, then one score per class, as BERT's
// and RoBERTa's for sequences (Devlin et al. 2019, arXiv:1810.04805, sec. 4.1; Liu et al. 2019, arXiv:1907.11692). One
// class per row: cross entropy. Several: binary cross entropy of every class, each on where its score is above 0.
#include <ATen/ops/arange.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tanh.h>

#include <algorithm>

#include "../../shared/labelled_rows.h"
#include "assay/nn.h"
#include "assay/objective.h"
#include "assay/plugin.h"
#include "assay/transform.h"

namespace {

using assay::Batch;
using assay::Tensor;
using assay::UserError;
namespace nn = assay::nn;

class Classifier final : public assay::Objective {
 public:
  struct Config {
    std::vector<std::string> classes;
    int64_t width = 0;
    bool multiple = false;
    std::string pooling = "first";
    double init_std = 0.02;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Learns the labels of whole rows, which a transform such as 'labelled' gives, by a small head on the "
            "model's "
            "final states.")
        .paper("arXiv:1810.04805")
        .required("classes", &Config::classes, "The classes, in the order of the rows' labels.")
        .required("width", &Config::width, "The model's width; write \"= model.width\".", 1, 1 << 16)
        .param("multiple", &Config::multiple, "Whether a row may have several classes, or none.")
        .param("pooling", &Config::pooling,
               "The state that is classified: that of the token before the text, for a bidirectional model, or of the "
               "last "
               "token, for a causal one.",
               {"first", "last"})
        .param("init_std", &Config::init_std, "Standard deviation of the head's initial weights.", 0, 10);
  }
  explicit Classifier(const Config& config) : config_(config) {
    if (config_.classes.size() < 2)
      throw UserError("classes: a classifier needs two classes or more, not " + std::to_string(config_.classes.size()));
  }

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (assembly.model->width() != config_.width)
      findings.push_back("width is " + std::to_string(config_.width) + ", and the model's is " +
                         std::to_string(assembly.model->width()) + "; write width = \"= model.width\"");
    if (assembly.model->causal() && config_.pooling == "first")
      findings.push_back("the first state of a causal model has seen no text; set pooling = \"last\"");
    const auto& given = assembly.transforms;
    if (std::none_of(given.begin(), given.end(), [](const auto* t) { return t->stage() == assay::Stage::kSequences; }))
      findings.push_back("needs a transform that makes rows with labels, such as 'labelled'");
    for (const auto* transform : given)
      if (auto fault = assay::labelled::mismatch(transform->classes(), config_.classes); !fault.empty())
        findings.push_back(std::move(fault));
    return findings;
  }

  void build(assay::Parameters& parameters) override {
    dense_ = nn::Linear(parameters.scope("dense"), config_.width, config_.width, true, config_.init_std);
    out_ = nn::Linear(parameters.scope("out"), config_.width, classes_here(), true, config_.init_std);
  }

  std::vector<std::string> classes() const override { return config_.classes; }
  bool has_several_labels() const override { return config_.multiple; }

  Tensor class_scores(assay::Forward& forward) override {
    auto h_BTD = forward.hidden();
    if (h_BTD.scalar_type() != at::kDouble) h_BTD = h_BTD.to(at::kFloat);
    const auto& batch = forward.batch();
    if (config_.pooling == "first" || !batch.key_mask.defined()) {
      const auto at = config_.pooling == "first" ? 0 : h_BTD.size(1) - 1;
      return out_(at::tanh(dense_(h_BTD.select(1, at))));
    }
    const auto place_T = at::arange(h_BTD.size(1), batch.key_mask.options().dtype(at::kLong));
    const auto last_B = (batch.key_mask.to(at::kLong) * place_T).amax({1});
    const auto index_B1D = last_B.view({-1, 1, 1}).expand({-1, 1, h_BTD.size(2)});
    return out_(at::tanh(dense_(h_BTD.gather(1, index_B1D).squeeze(1))));
  }

  void prepare(assay::PrepareContext& context) override {
    const auto label_BC = labels(context.batch());
    if (!config_.multiple && label_BC.sum(1).max().item<double>() > 1)
      throw UserError("a row has several labels; set multiple = true, or give one label per row");
    context.denominator(
        "labels", config_.multiple ? static_cast<double>(label_BC.numel()) : label_BC.sum(at::kDouble).item<double>());
  }

  void loss(assay::LossContext& context) override {
    const auto score_BC = class_scores(context.forward());
    const auto label_BC = labels(context.batch()).to(score_BC.scalar_type());
    if (config_.multiple) {
      const auto cost_BC = at::binary_cross_entropy_with_logits(score_BC, label_BC, {}, {}, at::Reduction::None);
      context.term("bce", cost_BC.sum(), "labels");
      log("accuracy", score_BC.gt(0).eq(label_BC.gt(0.5)).sum().item<double>(), static_cast<double>(label_BC.numel()));
    } else {
      context.term("ce", (at::log_softmax(score_BC, -1) * label_BC).sum().neg(), "labels");
      const auto right_B = label_BC.gather(1, score_BC.argmax(-1).unsqueeze(-1));
      log("accuracy", right_B.sum().item<double>(), label_BC.sum().item<double>());
    }
  }

 private:
  int64_t classes_here() const { return static_cast<int64_t>(config_.classes.size()); }

  Tensor labels(const Batch& batch) const {
    const auto found = batch.channels.find(assay::labelled::kChannel);
    if (found == batch.channels.end())
      throw UserError("the rows have no labels; add a transform that gives them, such as 'labelled'");
    if (found->second.size(1) != classes_here())
      throw UserError("the rows have labels of " + std::to_string(found->second.size(1)) +
                      " classes, and classes has " + std::to_string(classes_here()) +
                      "; list the same classes in the transform and here");
    return found->second;
  }

  Config config_;
  nn::Linear dense_, out_;
};

}  // namespace

ASSAY_PLUGIN("classifier", "1.0.0", assay::component<Classifier>("classifier"))
