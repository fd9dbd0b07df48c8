// Source code: every file below a folder that has one of the given endings is a document. A hash of its path decides
// the split, so that a file stays where it is whatever else comes or goes, and no part of a held-out file is trained
// on. A file that another one repeats byte by byte, and an empty one, is left out: copies would leak from one split to
// another.
#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "../hashed_split.h"
#include "../plain_text.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace fs = std::filesystem;
using assay::Split;
using assay::UserError;

// Of a file to train on, which may be JSON.
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
            "Source files below a folder, a document each; a hash of the path decides the split. Binary files "
            "(Parquet, compressed files, UTF-16) are refused; equal files are read once.")
        .required("path", &Config::path, "The folder; for instance networkx of scripts/data.")
        .param("endings", &Config::endings, "Endings of the files that are read.")
        .param("without", &Config::without, "Names of folders that are left out, wherever they are.")
        .param("validation_fraction", &Config::validation_fraction, "Share of the files that is validation.", 0, 1)
        .param("test_fraction", &Config::test_fraction, "Share of the files that is test.", 0, 1);
  }

  explicit Code(const Config& config) : config_(config) {
    if (config_.validation_fraction + config_.test_fraction >= 1)
      throw UserError("code: validation_fraction and test_fraction add up to 1 or more; nothing is left to train on");
    const fs::path folder = config_.path.file;
    if (!fs::is_directory(folder)) throw UserError("code: " + folder.string() + " is no folder; give one with sources");
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
      throw UserError("code: " + folder.string() + " holds no file that ends in " + endings() +
                      "; see endings and without");
  }

  std::optional<assay::Fractions> fractions() const override {
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, /*of_documents=*/true};
  }

  int64_t size(Split split) const override {
    return static_cast<int64_t>(documents_[static_cast<size_t>(split)].size());
  }

  assay::Document document(Split split, int64_t index) const override {
    if (index < 0 || index >= size(split))
      throw UserError("code: no document " + std::to_string(index) + " in split '" + assay::name_of(split) +
                      "', which has " + std::to_string(size(split)));
    return documents_[static_cast<size_t>(split)][static_cast<size_t>(index)];
  }

  std::vector<assay::Source> sources() const override { return {source_}; }

 private:
  std::string endings() const {
    std::string all;
    for (const auto& ending : config_.endings) all += (all.empty() ? "" : " or ") + ending;
    return all;
  }

  // In order of their names, with '/' between folders.
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
      throw UserError("code: " + file.string() + " is no manifest ({\"name\", \"licence\"}): " + error.what());
    }
  }

  Config config_;
  assay::Source source_;
  std::array<std::vector<assay::Document>, 3> documents_;
};

}  // namespace

ASSAY_PLUGIN("code", "1.0.0", assay::component<Code>("code"))
