// Topical-Chat's conversations, or files in their format; see topical_chat.h. A conversation is a document.
#include <array>
#include <filesystem>
#include <set>

#include "../listed_files.h"
#include "../splits.h"
#include "../topical_chat.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace dialogue = assay::dialogue;
namespace fs = std::filesystem;
using assay::Split;
using assay::UserError;

class DialogueFiles final : public assay::Dataset {
 public:
  struct Config {
    assay::Path path;
    double validation_fraction = 0.1, test_fraction = 0.1;
    std::string licence = "CDLA-Sharing-1.0";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Dialogues in the format of Topical-Chat: a JSON object from the id of a conversation to its turns, each "
            "with a message and an agent.")
        .required("path", &Config::path, "A file, or a folder whose .json files are read in order of names.")
        .param("validation_fraction", &Config::validation_fraction,
               "Share of the conversations in validation, by a hash of their ids.", 0, 1)
        .param("test_fraction", &Config::test_fraction, "Share in test.", 0, 1)
        .param("licence", &Config::licence, "The licence of the files, for the record.");
  }
  explicit DialogueFiles(const Config& config) : config_(config) {
    assay::dataset::check_fractions("dialogue", config_.validation_fraction, config_.test_fraction);
    for (const auto& file : assay::dataset::listed_files("dialogue", config_.path.file, {".json"}))
      assay::dataset::each_conversation("dialogue", file, [&](const std::string& id, const auto& turns) {
        add(file.filename().string(), id, turns);
      });
    counts_["turns"] = turns_;
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
      counts_[std::string("documents.") + assay::name_of(split)] = size(split);
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(of(split).size()); }
  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("dialogue", split, index, size(split));
    return of(split)[static_cast<size_t>(index)];
  }
  std::vector<assay::Source> sources() const override {
    return {{fs::path(config_.path.file).filename().string(), config_.path.sha256, config_.licence}};
  }
  std::map<std::string, int64_t> counts() const override { return counts_; }
  std::optional<assay::Fractions> fractions() const override {
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, /*of_documents=*/true};
  }

 private:
  const std::vector<assay::Document>& of(Split split) const { return documents_[static_cast<size_t>(split)]; }

  void add(const std::string& file, const std::string& id, const std::vector<dialogue::Turn>& turns) {
    if (!ids_.insert(id).second)
      throw UserError("dialogue: " + file + ": conversation '" + id +
                      "' is also in another file; remove one of the two");
    turns_ += static_cast<int64_t>(turns.size());
    assay::Document document;
    document.id = id;
    for (const auto& turn : turns) document.text += turn.text + "\n";
    document.fields = {{dialogue::kTurns, dialogue::written(turns)}, {"place", file}};
    const auto split = assay::dataset::hashed_split(id, config_.validation_fraction, config_.test_fraction);
    documents_[static_cast<size_t>(split)].push_back(std::move(document));
  }

  Config config_;
  std::array<std::vector<assay::Document>, 3> documents_;  // by split
  std::set<std::string> ids_;
  std::map<std::string, int64_t> counts_;
  int64_t turns_ = 0;
};

}  // namespace

ASSAY_PLUGIN("dialogue_files", "1.0.0", assay::component<DialogueFiles>("dialogue"))
