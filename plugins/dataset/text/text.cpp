// Plain text: a corpus made by scripts/data (a folder with manifest.json, which names files and splits), a folder of
// .txt files, or one file. Documents are files, chapters or paragraphs; joined in order they are the bytes of the
// files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "../file_borders.h"
#include "../plain_text.h"
#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace fs = std::filesystem;
using assay::Split;
using assay::UserError;

// The content of a file to train on.
std::string read_text(const fs::path& file) {
  auto text = assay::dataset::read_file("text", file);
  if (const auto refusal = assay::dataset::refusal_of(text); !refusal.empty())
    throw UserError("text: " + file.string() + " " + refusal);
  return text;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool opens_chapter(std::string_view line) {
  constexpr std::string_view kWord = "chapter";
  return line.size() >= kWord.size() && std::equal(kWord.begin(), kWord.end(), line.begin(), [](char small, char c) {
           return small == (c >= 'A' && c <= 'Z' ? c + 32 : c);
         });
}

// Where the documents of `text` begin; the first begins at 0, so text before the first chapter belongs to it.
std::vector<size_t> document_starts(std::string_view text, const std::string& kind) {
  std::vector<size_t> starts;
  if (!text.empty()) starts.push_back(0);
  bool found = false, after_blank = false;
  for (size_t begin = 0; begin < text.size() && kind != "file";) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const auto line = text.substr(begin, end - begin);
    const bool opens = kind == "chapter" ? opens_chapter(line) : !is_blank(line) && (after_blank || !found);
    if (opens && found) starts.push_back(begin);
    found |= opens;
    after_blank = is_blank(line);
    begin = end;
  }
  return starts;
}

class Text final : public assay::Dataset {
 public:
  struct Config {
    assay::Path path;
    std::string document = "file", splits = "files";
    double validation_fraction = 0.1, test_fraction = 0.1;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Plain text, with a document per file, chapter or paragraph; splits follow the corpus' manifest, "
            "or are taken from the end of the text. Content that is not plain text (JSON lines, Parquet, "
            "compressed files) is refused.")
        .required("path", &Config::path, "A corpus of scripts/data, a folder of .txt files, or a file.")
        .param("document", &Config::document,
               "What a document is. A line that begins with \"chapter\" starts a chapter, and lines before the "
               "first one belong to it; empty lines end a paragraph and belong to it.",
               {"file", "chapter", "paragraph"})
        .param("splits", &Config::splits,
               "What is divided among the splits. files: by the manifest, or by the fractions where there is "
               "none. documents: each by a hash of its id, so that every file is in every split. texts: each by "
               "a hash of its text, without surrounding white space and differences in line ends, so that copies "
               "are in one split.",
               {"files", "documents", "texts"})
        .param("validation_fraction", &Config::validation_fraction,
               "Without a manifest: share of the bytes in validation, before the test part. A split ends at the "
               "nearest end of a file, or of a line where there is a single file; no split with a share above 0 "
               "is empty if there are enough of these, and of two files the second goes to the larger of "
               "validation and test. With splits = \"documents\" or \"texts\": share of the documents. A plan "
               "reports the share that was reached. It refuses a share above three times or below a third of "
               "this one if the difference is more than 5% of the data; it only warns if no document could be "
               "moved to come nearer.",
               0, 1)
        .param("test_fraction", &Config::test_fraction,
               "Without a manifest: share of the bytes, at the end, in test; or share of the documents.", 0, 1);
  }

  explicit Text(const Config& config) : config_(config) {
    assay::dataset::check_fractions("text", config_.validation_fraction, config_.test_fraction);
    const fs::path path = config_.path.file;
    source_ = {path.filename().string(), config_.path.sha256, ""};
    if (fs::exists(path / "manifest.json")) {
      has_manifest_ = true;
      read_manifest(path);
    } else {
      read_plain(path);
    }
  }

  std::optional<assay::Fractions> fractions() const override {
    if (has_manifest_ && !is_hashed()) return {};
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, is_hashed()};
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(documents(split).size()); }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("text", split, index, size(split));
    const auto& piece = documents(split)[static_cast<size_t>(index)];
    return {texts_[piece.text].substr(piece.begin, piece.size), piece.id, {{"file", piece.file}}};
  }

  std::vector<assay::Source> sources() const override { return {source_}; }

 private:
  struct Piece {
    size_t text, begin, size;  // bytes [begin, begin + size) of texts_[text]
    std::string id, file;
  };

  const std::vector<Piece>& documents(Split split) const { return documents_[static_cast<size_t>(split)]; }

  void read_manifest(const fs::path& folder) {
    const auto where = (folder / "manifest.json").string();
    try {
      const auto manifest = nlohmann::json::parse(assay::dataset::read_file("text", where));
      source_.name = manifest.value("name", source_.name);
      source_.licence = manifest.value("licence", "");
      for (const auto& entry : manifest.at("files")) {
        const auto name = entry.at("file").get<std::string>(), split = entry.at("split").get<std::string>();
        auto text = read_text(folder / name);
        if (entry.contains("bytes") && entry["bytes"] != text.size())
          throw UserError("text: " + (folder / name).string() + " has " + std::to_string(text.size()) +
                          " bytes, but its manifest says " + entry["bytes"].dump() + "; fetch the corpus again");
        if (split != "train" && split != "validation" && split != "test")
          throw UserError("text: " + where + ": '" + name + "' has the split '" + split +
                          "'; it must be train, validation or test");
        texts_.push_back(std::move(text));
        add(name, {{0, split == "train" ? Split::kTrain : split == "validation" ? Split::kValidation : Split::kTest}});
      }
    } catch (const nlohmann::json::exception& error) {
      throw UserError("text: " + where +
                      " is not a valid manifest ({\"files\": [{\"file\", \"split\"}, ..]}): " + error.what());
    }
  }

  void read_plain(const fs::path& path) {
    std::vector<fs::path> files;
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file() && entry.path().extension() == ".txt") files.push_back(entry.path());
      std::sort(files.begin(), files.end());
      if (files.empty()) throw UserError("text: " + path.string() + " has neither a manifest.json nor a .txt file");
    } else {
      files.push_back(path);
    }
    std::vector<size_t> ends;  // of what is divided: files, or the lines of a single file
    size_t total = 0;
    for (const auto& file : files) {
      const auto& text = texts_.emplace_back(read_text(file));
      if (files.size() == 1)
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1))
          ends.push_back(end + 1);
      total += text.size();
      if (ends.empty() ? total > 0 : total > ends.back()) ends.push_back(total);
    }
    const auto cuts = assay::dataset::nearest_cuts(ends, config_.validation_fraction, config_.test_fraction);
    if (files.size() == 1) {
      std::vector<std::pair<size_t, Split>> parts{{0, Split::kTrain}};
      if (!is_hashed()) parts.insert(parts.end(), {{cuts.validation, Split::kValidation}, {cuts.test, Split::kTest}});
      return add(path.filename().string(), parts, 0);
    }
    size_t begin = 0;
    for (size_t i = 0; i < files.size(); ++i) {
      const Split split = begin < cuts.validation ? Split::kTrain
                          : begin < cuts.test     ? Split::kValidation
                                                  : Split::kTest;
      add(fs::relative(files[i], path).string(), {{0, split}}, i);
      begin += texts_[i].size();
    }
  }

  bool is_hashed() const { return config_.splits != "files"; }

  // The split of a document where documents are divided one by one.
  Split own_split(const std::string& id, std::string_view text) const {
    const auto name = config_.splits == "texts" ? assay::dataset::with_plain_line_ends(assay::content_of(text)) : id;
    return assay::dataset::hashed_split(name, config_.validation_fraction, config_.test_fraction);
  }

  // Divides one file into the documents of its parts; a part begins at its offset and ends where the next one begins.
  void add(const std::string& name, const std::vector<std::pair<size_t, Split>>& parts, size_t text) {
    size_t number = 0;
    for (size_t p = 0; p < parts.size(); ++p) {
      const auto [begin, split] = parts[p];
      const size_t end = p + 1 < parts.size() ? parts[p + 1].first : texts_[text].size();
      const auto starts = document_starts(std::string_view(texts_[text]).substr(begin, end - begin), config_.document);
      for (size_t i = 0; i < starts.size(); ++i) {
        const size_t stop = i + 1 < starts.size() ? starts[i + 1] : end - begin;
        const bool whole = starts[i] == 0 && begin == 0 && stop == texts_[text].size();
        auto id = whole ? name : name + "#" + std::to_string(++number);
        const auto own = is_hashed()
                             ? own_split(id, std::string_view(texts_[text]).substr(begin + starts[i], stop - starts[i]))
                             : split;
        documents_[static_cast<size_t>(own)].push_back(
            {text, begin + starts[i], stop - starts[i], std::move(id), name});
      }
    }
  }
  void add(const std::string& name, const std::vector<std::pair<size_t, Split>>& parts) {
    add(name, parts, texts_.size() - 1);
  }

  Config config_;
  bool has_manifest_ = false;
  assay::Source source_;
  std::vector<std::string> texts_;
  std::array<std::vector<Piece>, 3> documents_;
};

}  // namespace

ASSAY_PLUGIN("text", "1.2.0", assay::component<Text>("text"))
