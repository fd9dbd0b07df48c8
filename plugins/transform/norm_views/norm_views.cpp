// Rows of Social Chemistry 101 as inputs and outputs of a language model. Forbes et al. 2020, arXiv:2011.00620, sec. 4;
// shared/norm_views.h has the views. Unlike in the released code, the mask ends with the end of text, only the output
// is learned by default, added tokens are sorted, and a missing text gives no view instead of the word for "missing";
// in demo, a missing action or judgment leaves out its tags.
#include "../../shared/norm_views.h"

#include "assay/model.h"
#include "assay/plugin.h"
#include "assay/transform.h"

namespace {

namespace norms = assay::norms;
using assay::Sample;

class NormViews final : public assay::Transform {
 public:
  struct Config {
    std::string target = "rot", views = "3", loss_on = "output";
    double attribute_dropout = 0.1;
    int64_t max_text_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Views of rules of thumb (RoTs) about situations: a RoT or an action given the situation and attributes, "
            "given "
            "the situation, with its attributes, or its attributes alone. Each attribute value is one added token.")
        .paper("arXiv:2011.00620")
        .param("target", &Config::target, "What is predicted.", {"rot", "action"})
        .param("views", &Config::views,
               "3: controlled, plain and model_choice, as the released code; 4: classify, too; demo: any attributes on "
               "either side, and RoT, action and judgment; or one view by its name.",
               {"3", "4", "demo", "controlled", "plain", "model_choice", "classify"})
        .param("loss_on", &Config::loss_on,
               "Tokens that are targets: those of the output, or all, as the released decoder.", {"output", "all"})
        .param("attribute_dropout", &Config::attribute_dropout,
               "Probability that an attribute is left out of the view demo.", 0, 1)
        .param("max_text_tokens", &Config::max_text_tokens,
               "A situation, a RoT, an action and a judgment are cut to this many tokens; 0: they are never cut.", 0);
  }
  explicit NormViews(const Config& config) : config_(config), maker_(config.target, config.max_text_tokens) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    if (config_.loss_on == "output" || !assembly.model->has_encoder()) return {};
    return {
        "loss_on = \"all\" needs a model that predicts its input, and an encoder reads it; set loss_on = \"output\""};
  }

  void special_tokens(assay::SpecialTokens& tokens) const override { norms::declare_added_tokens(tokens); }
  void bind(const assay::Vocabulary& vocabulary) override { maker_.bind(vocabulary); }

  assay::Stage stage() const override { return assay::Stage::kSequences; }

  std::vector<std::string> views() const override {
    std::vector<std::string> names{"controlled", "plain", "model_choice"};
    if (config_.views == "4") names.push_back("classify");
    return config_.views == "3" || config_.views == "4" ? names : std::vector{config_.views};
  }

  std::vector<Sample> sequences(const assay::Document& document, const assay::Draws& draws) const override {
    std::vector<Sample> samples;
    for (const auto& name : views()) {
      const auto view =
          name == "demo" ? maker_.demo_view(document, config_.attribute_dropout, draws) : maker_.view(name, document);
      if (!view) continue;
      auto& sample = samples.emplace_back();
      sample.view = view->name;
      sample.tokens = view->input;
      sample.tokens.insert(sample.tokens.end(), view->output.begin(), view->output.end());
      sample.source = static_cast<int64_t>(view->input.size());
      if (config_.loss_on == "all") continue;
      sample.loss_weight.assign(view->input.size(), 0);
      sample.loss_weight.resize(sample.tokens.size(), 1);
    }
    return samples;
  }

  // The fraction of a row that is not padding.
  void observe(const Sample& row) const override {
    const auto real = static_cast<double>(std::count(row.key_mask.begin(), row.key_mask.end(), true));
    log("filled", row.key_mask.empty() ? 1 : real, row.key_mask.empty() ? 1 : static_cast<double>(row.tokens.size()));
  }

  std::vector<assay::Document> examples() const override {
    const auto example = [](const char* judgment, const char* foundations, const char* agree) {
      return assay::Document{"",
                             "",
                             {{"situation", "a cat"},
                              {"rot", "be kind"},
                              {"action", "purring"},
                              {"rot-judgment", "good"},
                              {"rot-agree", agree},
                              {"rot-categorization", "social-norms|advice"},
                              {"rot-moral-foundations", foundations},
                              {"rot-char-targeting", "char-1"},
                              {"action-agency", "agency"},
                              {"action-moral-judgment", judgment},
                              {"action-legal", "legal"},
                              {"action-pressure", "0"},
                              {"characters", "narrator|cat"}}};
    };
    return {example("-2", "care-harm", "4"), example("1", "", "0"), example("0", "loyalty-betrayal|care-harm", "2")};
  }

 private:
  Config config_;
  norms::ViewMaker maker_;
};

}  // namespace

ASSAY_PLUGIN("norm_views", "1.0.0", assay::component<NormViews>("norm_views"))
