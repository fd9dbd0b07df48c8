// Texts with labels from CSV files of any shape, for classifiers: which columns hold text and labels, and which values
// are positive, are parameters. Files in the shapes of Davidson et al. 2017 (tweet, class), of Jigsaw's toxic comments
// (comment_text and six columns of 0 and 1) and of Toxic Spans (spans, text) are read so. Messages name places and
// never quote a text.
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "../../shared/list_cells.h"
#include "../delimited.h"
#include "../listed_files.h"
#include "../splits.h"
#include "../topical_chat.h"
#include "assay/plugin.h"

namespace {

namespace fs = std::filesystem;
using assay::Split;
using assay::UserError;
using Values = std::vector<std::string>;

bool among(const Values& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

class LabelledCsv final : public assay::Dataset {
 public:
  struct Config {
    assay::Path path, others;
    std::string delimiter = "comma", text, licence;
    bool header = true;
    Values labels, positive{"1"}, negative, left_out{"-1"}, classes{"other", "toxic"};
    double validation_fraction = 0.1, test_fraction = 0.1;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Texts with a label from delimited files: a row is positive when one of its label columns is. A document's "
            "field 'label' is the class. The record counts rows by class, and those left out by reason.")
        .required("path", &Config::path, "A file, or a folder whose .csv and .tsv files are read in order of names.")
        .param("delimiter", &Config::delimiter, "Delimiter of cells.", {"comma", "tab"})
        .param("header", &Config::header, "Whether a file begins with the names of its columns.")
        .required("text", &Config::text, "The column of the text: its name or, without a header, its number from 1.")
        .required("labels", &Config::labels, "The columns of the labels.")
        .param("positive", &Config::positive, "Cells that are positive; empty: all that are not in negative.")
        .param("negative", &Config::negative, "Cells that are not; empty: all that are not in positive.")
        .param("left_out", &Config::left_out, "A row with such a label is left out.")
        .param("others", &Config::others,
               "Further texts of the negative class: the turns of a .json file in the format of Topical-Chat, or the "
               "lines of any other file; or a folder of such .json and .txt files.")
        .param("classes", &Config::classes, "Names of the negative and the positive class.")
        .param("validation_fraction", &Config::validation_fraction,
               "Share of the texts in validation, by a hash of the text, so that equal texts are in one split.", 0, 1)
        .param("test_fraction", &Config::test_fraction, "Share in test.", 0, 1)
        .param("licence", &Config::licence, "The licence of the files, for the record.");
  }
  explicit LabelledCsv(const Config& config) : config_(config) {
    assay::dataset::check_fractions(kName, config_.validation_fraction, config_.test_fraction);
    if (config_.classes.size() != 2 || config_.classes[0] == config_.classes[1])
      throw UserError("labelled_csv: classes: give two different names, of the negative and the positive class");
    if (config_.labels.empty()) throw UserError("labelled_csv: labels: name a column");
    if (config_.positive.empty() && config_.negative.empty())
      throw UserError("labelled_csv: positive: name the cells that are positive, or in negative those that are not");
    for (const auto& file : assay::dataset::listed_files(kName, config_.path.file, {".csv", ".tsv"})) read(file);
    if (!config_.others.file.empty())
      for (const auto& file : assay::dataset::listed_files(kName, config_.others.file, {".json", ".txt"}))
        read_others(file);
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
      counts_[std::string("documents.") + assay::name_of(split)] = size(split);
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(of(split).size()); }
  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index(kName, split, index, size(split));
    return of(split)[static_cast<size_t>(index)];
  }
  std::vector<assay::Source> sources() const override {
    std::vector<assay::Source> all{source_of(config_.path)};
    if (!config_.others.file.empty()) all.push_back(source_of(config_.others));
    return all;
  }
  std::map<std::string, int64_t> counts() const override { return counts_; }
  std::optional<assay::Fractions> fractions() const override {
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, /*of_documents=*/true};
  }

 private:
  static constexpr const char* kName = "labelled_csv";

  assay::Source source_of(const assay::Path& path) const {
    return {fs::path(path.file).filename().string(), path.sha256, config_.licence};
  }
  const std::vector<assay::Document>& of(Split split) const { return documents_[static_cast<size_t>(split)]; }

  // The place of a column among `width` cells of a file.
  size_t place_of(const std::string& column, const std::vector<std::string_view>& first,
                  const std::string& file) const {
    if (!config_.header) {
      size_t number = 0;
      const auto* const end = column.data() + column.size();
      if (std::from_chars(column.data(), end, number).ptr != end || number < 1 || number > first.size())
        throw UserError("labelled_csv: " + file + " has no column '" + column +
                        "'; without a header a column is a number from 1 to " + std::to_string(first.size()));
      return number - 1;
    }
    const auto found = std::find(first.begin(), first.end(), column);
    if (found == first.end()) {
      const Values names(first.begin(), first.end());
      throw UserError("labelled_csv: " + file + ":1: the header has no column '" + column + "'; it has " +
                      assay::cells::joined(names, ", ") + " (set delimiter or header if that is not so)");
    }
    return static_cast<size_t>(found - first.begin());
  }

  void read(const fs::path& path) {
    const auto file = path.filename().string();
    const assay::dataset::MappedFile mapped(kName, path);
    assay::dataset::DelimitedReader reader(mapped.text(), config_.delimiter == "tab" ? '\t' : ',');
    std::vector<std::string_view> cells;
    bool more = reader.next(cells);
    if (!more) {
      assay::dataset::refuse_fault(kName, reader, file);
      throw UserError("labelled_csv: " + file + " is empty; it must have rows");
    }
    const auto width = cells.size(), text = place_of(config_.text, cells, file);
    std::vector<size_t> labels;
    for (const auto& column : config_.labels) labels.push_back(place_of(column, cells, file));
    if (config_.header) more = reader.next(cells);
    for (; more; more = reader.next(cells)) {
      const auto place = file + ":" + std::to_string(reader.line());
      if (cells.size() != width)
        throw UserError("labelled_csv: " + place + ": the row has " + std::to_string(cells.size()) +
                        " cells, and the first one has " + std::to_string(width) +
                        "; check for missing or surplus delimiters and for quotes");
      ++counts_["rows"];
      std::optional<bool> is_positive = false;
      for (size_t i = 0; i < labels.size() && is_positive; ++i) {
        const auto own = label_of(cells[labels[i]], place + ":" + config_.labels[i]);
        is_positive = own ? std::optional(*is_positive || *own) : std::nullopt;
      }
      if (!is_positive)
        ++counts_["rows.left_out"];
      else
        add(std::string(cells[text]), *is_positive, place);
    }
    assay::dataset::refuse_fault(kName, reader, file);
  }

  // Whether the cell is positive; nullopt: its row is left out.
  std::optional<bool> label_of(std::string_view cell, const std::string& place) const {
    if (among(config_.left_out, cell)) return std::nullopt;
    if (among(config_.positive, cell)) return true;
    if (among(config_.negative, cell)) return false;
    if (config_.positive.empty()) return true;
    if (config_.negative.empty()) return false;
    throw UserError("labelled_csv: " + place + ": the cell is neither positive (" +
                    assay::cells::joined(config_.positive, ", ") + ") nor negative (" +
                    assay::cells::joined(config_.negative, ", ") +
                    "); add its value to one of the two, or to left_out");
  }

  void read_others(const fs::path& path) {
    const auto file = path.filename().string();
    if (path.extension() == ".json") {
      assay::dataset::each_conversation(kName, path, [&](const std::string& id, const auto& turns) {
        for (size_t t = 0; t < turns.size(); ++t) add_other(turns[t].text, file + ":" + id + ":" + std::to_string(t));
      });
      return;
    }
    const auto content = assay::dataset::read_file(kName, path);
    int64_t number = 0;
    for (size_t begin = 0; begin < content.size();) {
      const auto end = std::min(content.find('\n', begin), content.size());
      add_other(content.substr(begin, end - begin), file + ":" + std::to_string(++number));
      begin = end + 1;
    }
  }
  void add_other(const std::string& text, const std::string& place) {
    ++counts_["others"];
    add(text, false, place);
  }

  void add(std::string text, bool is_positive, const std::string& place) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      ++counts_["rows.empty"];
      return;
    }
    const auto& label = config_.classes[is_positive];
    ++counts_["texts." + label];
    const auto split = assay::dataset::hashed_split(text, config_.validation_fraction, config_.test_fraction);
    assay::Document document;
    document.id = place;
    document.text = std::move(text);
    document.fields = {{"label", label}, {"place", place}};
    documents_[static_cast<size_t>(split)].push_back(std::move(document));
  }

  Config config_;
  std::array<std::vector<assay::Document>, 3> documents_;  // by split
  std::map<std::string, int64_t> counts_;
};

}  // namespace

ASSAY_PLUGIN("labelled_csv", "1.0.0", assay::component<LabelledCsv>("labelled_csv"))
