// Source code: every file below a folder with one of the given endings is a document. A hash of its path decides the
// split, so that a file keeps its split when other files come or go, and no part of a held-out file is trained on.
// Empty files and repeated copies of a file are left out: copies would leak from one split to another.
#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "../plain_text.h"
#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace fs = std::filesystem;
using assay::Split;
using assay::UserError;

// The content of a file to train on, which may be JSON.
std::string read_source(const fs::path& file) {
  auto text = assay::dataset::read_file("code", file);
  if (const auto format = assay::dataset::binary_format(text); !format.empty())
    throw UserError("code: " + file.string() + " is " + format + assay::dataset::remedy_of(format) +
                    ", or leave it out with 'endings' or 'without'");
  return text;
}

class Code final : public assay::Dataset {
 public:
  struct Config {
    assay::Path path;
    std::vector<std::string> endings{".py"}, without{"tests"};
    double validation_fraction = 0.1, test_fraction = 0.1;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Source files below a folder, one document per file; a hash of the path decides the split. Binary "
            "files (Parquet, compressed files, UTF-16) are refused; identical files are read once.")
        .required("path", &Config::path, "The folder, for instance networkx of scripts/data.")
        .param("endings", &Config::endings, "Endings of the names of files to read.")
        .param("without", &Config::without, "Names of folders to leave out, at any depth.")
        .param("validation_fraction", &Config::validation_fraction, "Share of the files in validation.", 0, 1)
        .param("test_fraction", &Config::test_fraction, "Share of the files in test.", 0, 1);
  }

  explicit Code(const Config& config) : config_(config) {
    assay::dataset::check_fractions("code", config_.validation_fraction, config_.test_fraction);
    const fs::path folder = config_.path.file;
    if (!fs::is_directory(folder))
      throw UserError("code: " + folder.string() + " is not a folder; give a folder of source files");
    source_ = {folder.filename().string(), config_.path.sha256, ""};
    if (fs::exists(folder / "manifest.json")) read_manifest(folder / "manifest.json");
    std::set<std::string> seen;
    for (const auto& name : names_below(folder)) {
      auto text = read_source(folder / name);
      if (text.empty() || !seen.insert(text).second) continue;
      documents_[static_cast<size_t>(
                     assay::dataset::hashed_split(name, config_.validation_fraction, config_.test_fraction))]
          .push_back({std::move(text), name, {}});
    }
    if (seen.empty())
      throw UserError("code: " + folder.string() + " contains no file that ends in " + endings() +
                      "; check endings and without");
  }

  std::optional<assay::Fractions> fractions() const override {
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, /*of_documents=*/true};
  }

  int64_t size(Split split) const override {
    return static_cast<int64_t>(documents_[static_cast<size_t>(split)].size());
  }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("code", split, index, size(split));
    return documents_[static_cast<size_t>(split)][static_cast<size_t>(index)];
  }

  std::vector<assay::Source> sources() const override { return {source_}; }

 private:
  std::string endings() const {
    std::string all;
    for (const auto& ending : config_.endings) all += (all.empty() ? "" : " or ") + ending;
    return all;
  }

  // Paths relative to the folder, sorted, with '/' between folders.
  std::vector<std::string> names_below(const fs::path& folder) const {
    const auto among = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    std::vector<std::string> names;
    for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
      const auto own = entry->path().filename().string();
      if (entry->is_directory()) {
        if (own.starts_with('.') || among(config_.without, own)) entry.disable_recursion_pending();
      } else if (std::any_of(config_.endings.begin(), config_.endings.end(),
                             [&](const std::string& ending) { return own.ends_with(ending); })) {
        names.push_back(fs::relative(entry->path(), folder).generic_string());
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void read_manifest(const fs::path& file) {
    try {
      const auto manifest = nlohmann::json::parse(assay::dataset::read_file("code", file));
      source_.name = manifest.value("name", source_.name);
      source_.licence = manifest.value("licence", "");
    } catch (const nlohmann::json::exception& error) {
      throw UserError("code: " + file.string() + " is not a valid manifest ({\"name\", \"licence\"}): " + error.what());
    }
  }

  Config config_;
  assay::Source source_;
  std::array<std::vector<assay::Document>, 3> documents_;
};

}  // namespace

ASSAY_PLUGIN("code", "1.0.0", assay::component<Code>("code"))
