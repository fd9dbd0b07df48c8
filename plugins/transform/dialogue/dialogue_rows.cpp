// Rows for a dialogue model: what was said so far, and the next turn. The turns are joined by ends of text, of which
// the last tokens are kept, as in the released code of Mehrabi et al. 2022 (NAACL), which keeps 100.
#include "../../shared/dialogue.h"
#include "assay/dialogue.h"
#include "assay/model.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"
#include "assay/transform.h"

namespace {

namespace dialogue = assay::dialogue;
using assay::Document;
using assay::Sample;

class DialogueRows final : public assay::Transform {
 public:
  struct Config {
    int64_t history = 100, max_turn_tokens = 0;
    std::string loss_on = "response";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "A row for every turn of a dialogue but the first: the turns before it, each followed by an end of text, "
            "and the turn with its end of text.")
        .param("history", &Config::history, "Most tokens of the turns before; the last ones are kept.", 1)
        .param("max_turn_tokens", &Config::max_turn_tokens, "Every turn is cut to this many tokens; 0: none is cut.", 0)
        .param("loss_on", &Config::loss_on, "Tokens that are targets: those of the turn, or all.", {"response", "all"});
  }
  explicit DialogueRows(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    if (config_.loss_on == "response" || !assembly.model->has_encoder()) return {};
    return {
        "loss_on = \"all\" needs a model that predicts its input, and an encoder reads it; set loss_on = \"response\""};
  }
  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = &vocabulary; }
  assay::Stage stage() const override { return assay::Stage::kSequences; }
  std::vector<std::string> views() const override { return {"response"}; }

  std::vector<Sample> sequences(const Document& document, const assay::Draws&) const override {
    const auto end_of_text = static_cast<int32_t>(vocabulary_->special(assay::kEndOfText));
    std::vector<std::vector<int32_t>> said;
    std::vector<Sample> rows;
    for (const auto& turn : dialogue::turns_of(document)) {
      auto tokens = vocabulary_->tokenizer().encode(turn.text);
      if (config_.max_turn_tokens > 0 && static_cast<int64_t>(tokens.size()) > config_.max_turn_tokens)
        tokens.resize(static_cast<size_t>(config_.max_turn_tokens));
      if (!said.empty()) {
        auto& row = rows.emplace_back();
        row.view = "response";
        row.tokens = assay::joined(said, end_of_text, config_.history).tokens;
        row.source = static_cast<int64_t>(row.tokens.size());
        row.tokens.insert(row.tokens.end(), tokens.begin(), tokens.end());
        row.tokens.push_back(end_of_text);
        if (config_.loss_on == "response") {
          row.loss_weight.assign(static_cast<size_t>(row.source), 0);
          row.loss_weight.resize(row.tokens.size(), 1);
        }
      }
      said.push_back(std::move(tokens));
    }
    return rows;
  }

  std::vector<Document> examples() const override {
    const auto document = [](const std::vector<dialogue::Turn>& turns) {
      return Document{"", "", {{dialogue::kTurns, dialogue::written(turns)}}};
    };
    return {document({{"a", "hello"}, {"b", "hi, how are you"}, {"a", "fine"}}), document({{"a", "what"}, {"b", ""}})};
  }

 private:
  Config config_;
  const assay::Vocabulary* vocabulary_ = nullptr;
};

}  // namespace

ASSAY_PLUGIN("dialogue_rows", "1.0.0", assay::component<DialogueRows>("dialogue"))
