// Rows for a text classifier: one or two fields of a document, and the classes that another field names.
#include <algorithm>

#include "../../shared/labelled_rows.h"
#include "../../shared/list_cells.h"
#include "assay/plugin.h"
#include "assay/transform.h"

namespace {

using assay::Document;
using assay::Sample;
using assay::UserError;

class Labelled final : public assay::Transform {
 public:
  struct Config {
    std::vector<std::string> texts{"text"};
    std::string field;
    std::vector<std::string> classes;
    bool multiple = false;
    int64_t max_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Rows for the objective classifier: the texts of fields of a document, and the classes that another field "
            "names. A document without that field has no row.")
        .param(
            "texts", &Config::texts,
            "Names of the fields to read, with an end of text between them; \"text\" is the document's text if it has "
            "no such field.")
        .required("field", &Config::field, "Name of the field that has the label.")
        .required("classes", &Config::classes, "All labels, in the order of the classes.")
        .param("multiple", &Config::multiple,
               "Whether the field is a list of labels, joined by '|', which may be empty.")
        .param("max_tokens", &Config::max_tokens, "Every text is cut to this many tokens; 0: texts are never cut.", 0);
  }
  explicit Labelled(const Config& config) : config_(config) {
    if (config_.classes.size() < 2)
      throw UserError("classes: a classifier needs two classes or more, not " + std::to_string(config_.classes.size()));
    if (config_.texts.empty()) throw UserError("texts: name the fields to read");
  }

  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = &vocabulary; }
  assay::Stage stage() const override { return assay::Stage::kSequences; }
  std::vector<std::string> views() const override { return {"labelled"}; }
  std::vector<std::string> classes() const override { return config_.classes; }

  std::vector<Sample> sequences(const Document& document, const assay::Draws&) const override {
    const auto label = document.fields.find(config_.field);
    if (label == document.fields.end()) return {};
    std::vector<std::string> texts;
    for (const auto& field : config_.texts) {
      const auto found = document.fields.find(field);
      if (found == document.fields.end() && field != "text") return {};
      texts.push_back(found == document.fields.end() ? document.text : found->second);
    }
    Sample sample;
    sample.view = "labelled";
    sample.tokens = assay::labelled::row_of(texts, *vocabulary_, config_.max_tokens);
    if (sample.tokens.empty()) return {};
    sample.channels[assay::labelled::kChannel] = classes_of(document, label->second);
    return {sample};
  }

  std::vector<Document> examples() const override {
    std::vector<Document> all;
    for (size_t i = 0; i < config_.classes.size(); ++i) {
      auto& document = all.emplace_back(Document{"a text", "", {{config_.field, config_.classes[i]}}});
      for (const auto& field : config_.texts) document.fields[field] = field + " " + std::to_string(i);
    }
    return all;
  }

 private:
  std::vector<float> classes_of(const Document& document, const std::string& cell) const {
    std::vector<float> marks(config_.classes.size(), 0);
    const auto mark = [&](std::string_view value) {
      const auto found = std::find(config_.classes.begin(), config_.classes.end(), value);
      if (found == config_.classes.end())
        throw UserError("document '" + document.id + "': '" + std::string(value) + "' of field '" + config_.field +
                        "' is not among the classes; add it to classes");
      marks[static_cast<size_t>(found - config_.classes.begin())] = 1;
    };
    if (config_.multiple)
      assay::cells::each_item(cell, mark);
    else if (!cell.empty())
      mark(cell);
    return marks;
  }

  Config config_;
  const assay::Vocabulary* vocabulary_ = nullptr;
};

}  // namespace

ASSAY_PLUGIN("labelled", "1.0.0", assay::component<Labelled>("labelled"))
