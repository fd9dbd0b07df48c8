// Social Chemistry 101: rules of thumb about situations, with attributes. Forbes et al. 2020, arXiv:2011.00620. A row
// of the file is a document whose fields are its cells. The files are mapped and checked in one pass; rows are read
// again when they are asked for. Messages name places and never quote a situation or a rule of thumb.
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "../delimited.h"
#include "../listed_files.h"
#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"
#include "assay/random.h"
#include "rows.h"

namespace {

namespace fs = std::filesystem;
namespace norms = assay::norms;
using assay::Split;
using assay::UserError;
using assay::dataset::DelimitedReader;

class Norms final : public assay::Dataset {
 public:
  struct Config {
    assay::Path path;
    std::string delimiter = "tab", divide = "column", bad = "without", licence = "CC BY-SA 4.0";
    std::vector<std::string> splits, areas;
    std::vector<int64_t> m;
    double validation_fraction = 0.1, test_fraction = 0.1;
    bool strict = false, ignore_extra_columns = false;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Social Chemistry 101: rules of thumb (RoTs) about everyday situations, with attributes of the RoT and of "
            "its action. The record counts rows by split and area, empty cells by column, and rows that break a rule "
            "of the data card.")
        .paper("arXiv:2011.00620")
        .required("path", &Config::path, "A file, or a folder whose .tsv and .csv files are read in order of names.")
        .param("delimiter", &Config::delimiter, "Delimiter of cells.", {"tab", "comma"})
        .param("divide", &Config::divide,
               "How rows are divided among the splits. column: by the column split (train; dev is validation; test), "
               "and other rows are left out. situation: by a hash of situation-short-id, over all files together, so "
               "that no situation is in two splits (a sample-split, which is neither dev nor test of the paper).",
               {"column", "situation"})
        .param("bad", &Config::bad,
               "Which rows are read: those of RoTs that are not marked as bad, only bad ones, or both.",
               {"without", "only", "with"})
        .param("splits", &Config::splits, "Values of the column split to read; empty: all.")
        .param("areas", &Config::areas, "Values of the column area to read; empty: all.")
        .param("m", &Config::m, "Values of the column m to read; empty: all.", 1, 50)
        .param("validation_fraction", &Config::validation_fraction,
               "With divide = \"situation\": share of the situations in validation.", 0, 1)
        .param("test_fraction", &Config::test_fraction, "With divide = \"situation\": share of the situations in test.",
               0, 1)
        .param("licence", &Config::licence, "The licence of the files, for the record.")
        .param("strict", &Config::strict,
               "Whether a value outside its column's set is an error; otherwise it is counted and read, and has no "
               "token in "
               "views.")
        .param("ignore_extra_columns", &Config::ignore_extra_columns,
               "Whether columns beyond the 25 of the data are ignored; otherwise they are an error.");
  }

  explicit Norms(const Config& config) : config_(config) {
    assay::dataset::check_fractions("norms", config_.validation_fraction, config_.test_fraction);
    check_known("splits", config_.splits, norms::columns()[norms::kSplit].values);
    std::vector<std::string> m;
    for (const auto one : config_.m) m.push_back(std::to_string(one));
    check_known("m", m, norms::columns()[norms::kM].values);
    check_known("areas", config_.areas, norms::columns()[norms::kArea].values);
    for (const auto& split : config_.splits)
      if (config_.divide == "column" && split != "train" && split != "dev" && split != "test")
        throw UserError("norms: splits: rows of '" + split +
                        "' are in none of train, validation and test with divide = \"column\"; set divide = "
                        "\"situation\", or leave it out");
    source_ = {fs::path(config_.path.file).filename().string(), config_.path.sha256, config_.licence};
    norms::RowCheck check(config_.strict, irregularities_);
    std::pmr::monotonic_buffer_resource memory;
    Ids ids(&memory);
    for (const auto& path : assay::dataset::listed_files("norms", config_.path.file, {".tsv", ".csv"}))
      read_file(path, check, ids);
    for (const auto& [column, counted] : by_value_)
      for (size_t v = 0; v < counted.size(); ++v) {
        const auto& values = norms::columns()[column].values;
        const auto name = v < values.size() ? values[v] : "other";
        if (counted[v] > 0) counts_["rows." + std::string(norms::columns()[column].name) + "." + name] = counted[v];
      }
    counts_["rows"] = std::accumulate(by_value_[norms::kSplit].begin(), by_value_[norms::kSplit].end(), int64_t{0});
    for (size_t c = 0; c < norms::kColumns; ++c)
      if (check.nulls()[c] > 0) counts_[std::string("null.") + norms::columns()[c].name] = check.nulls()[c];
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
      counts_[std::string("documents.") + assay::name_of(split)] = size(split);
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(rows(split).size()); }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("norms", split, index, size(split));
    const auto& row = rows(split)[static_cast<size_t>(index)];
    const auto& file = files_[row.file];
    DelimitedReader reader(file.mapping->text(), delimiter(), row.begin, row.line);
    std::vector<std::string_view> cells;
    if (!reader.next(cells) || cells.size() != file.width)
      throw UserError("norms: " + file.name + ":" + std::to_string(row.line) +
                      ": the file has changed since it was opened; start the run again");
    assay::Document document;
    for (size_t c = 0; c < norms::kColumns; ++c)
      if (std::string value; norms::read_cell(c, cells[file.places[c]], value))
        document.fields[norms::columns()[c].name] = std::move(value);
    document.fields["place"] = file.name + ":" + std::to_string(row.line);
    document.id = document.fields["rot-id"] + (row.copy > 0 ? "#" + std::to_string(row.copy + 1) : "");
    document.text = document.fields["situation"] + "\n" + document.fields["rot"] + "\n";
    return document;
  }

  std::vector<assay::Source> sources() const override { return {source_}; }
  std::map<std::string, int64_t> counts() const override { return counts_; }
  std::vector<std::string> warnings() const override { return irregularities_.sentences(); }
  std::optional<assay::Fractions> fractions() const override {
    if (config_.divide == "column") return {};
    return assay::Fractions{config_.validation_fraction, config_.test_fraction, /*of_documents=*/true};
  }

 private:
  struct File {
    std::unique_ptr<assay::dataset::MappedFile> mapping;
    std::string name;
    size_t width = 0;                              // cells of a row
    std::array<size_t, norms::kColumns> places{};  // of each column among the cells
  };
  struct Row {
    uint32_t file, copy;  // copy: number of earlier rows of the same RoT
    int64_t line;
    size_t begin;
  };
  struct Known {  // where a rot-id was seen first, and how often
    uint32_t file, count;
    int64_t line;
  };
  using Ids = std::pmr::unordered_map<size_t, Known>;  // by the hash of the rot-id

  static void check_known(const char* parameter, const std::vector<std::string>& given,
                          const std::vector<std::string>& known) {
    for (const auto& value : given)
      if (std::find(known.begin(), known.end(), value) == known.end())
        throw UserError("norms: " + std::string(parameter) + ": '" + value + "' is not valid; it must be one of " +
                        assay::cells::joined(known, ", "));
  }

  char delimiter() const { return config_.delimiter == "tab" ? '\t' : ','; }
  const std::vector<Row>& rows(Split split) const { return rows_[static_cast<size_t>(split)]; }

  // The places of the columns in a file, by its header.
  std::array<size_t, norms::kColumns> places_in(const std::vector<std::string_view>& header,
                                                const std::string& file) const {
    std::array<size_t, norms::kColumns> places{};
    for (size_t c = 0; c < norms::kColumns; ++c) {
      const std::string_view name = norms::columns()[c].name;
      const auto found = std::find(header.begin(), header.end(), name);
      if (found == header.end())
        throw UserError("norms: " + file + ":1: the header has " + std::to_string(header.size()) +
                        " columns, and none is '" + std::string(name) + "'; the data has 25 columns, separated by " +
                        (config_.delimiter == "tab" ? "tabs" : "commas") + " (set delimiter to change that)");
      places[c] = static_cast<size_t>(found - header.begin());
      if (std::find(found + 1, header.end(), name) != header.end())
        throw UserError("norms: " + file + ":1: the header has the column '" + std::string(name) +
                        "' twice; remove one of the two");
    }
    for (const auto& name : header)
      if (norms::column_at(name) == norms::kColumns && !config_.ignore_extra_columns)
        throw UserError("norms: " + file + ":1: the column '" + std::string(name) +
                        "' is not one of the data's 25; remove it, or set ignore_extra_columns = true");
    return places;
  }

  void read_file(const fs::path& path, norms::RowCheck& check, Ids& ids) {
    auto& file = files_.emplace_back();
    file.mapping = std::make_unique<assay::dataset::MappedFile>("norms", path);
    file.name = path.filename().string();
    DelimitedReader reader(file.mapping->text(), delimiter());
    std::vector<std::string_view> read;
    if (!reader.next(read)) assay::dataset::refuse_fault("norms", reader, file.name);
    const auto width = file.width = read.size();
    file.places = places_in(read, file.name);
    constexpr size_t kBytesOfARow = 400;
    ids.reserve(ids.size() + file.mapping->text().size() / kBytesOfARow);
    norms::Cells cells;
    int64_t unusual_quotes = 0;
    while (reader.next(read)) {
      file.mapping->read_up_to(reader.record_begin());
      if (read.size() != width)
        throw UserError("norms: " + file.name + ":" + std::to_string(reader.line()) + ": the row has " +
                        std::to_string(read.size()) + " cells, and the header has " + std::to_string(width) +
                        "; check for missing or surplus delimiters and for quotes");
      for (size_t c = 0; c < norms::kColumns; ++c) cells[c] = read[file.places[c]];
      check(cells,
            [&](size_t c) { return file.name + ":" + std::to_string(reader.line()) + ":" + norms::columns()[c].name; });
      if (std::exchange(unusual_quotes, reader.unusual_quotes()) < reader.unusual_quotes())
        irregularities_.add("row with text after the closing quote of a cell",
                            file.name + ":" + std::to_string(reader.line()));
      add_row(cells, reader, ids);
    }
    assay::dataset::refuse_fault("norms", reader, file.name);
    file.mapping->expect_random_access();
  }

  void add_row(const norms::Cells& cells, const DelimitedReader& reader, Ids& ids) {
    const auto here = static_cast<uint32_t>(files_.size() - 1);
    auto& known = ids.try_emplace(std::hash<std::string_view>()(cells[norms::kRotId]), Known{here, 0, reader.line()})
                      .first->second;
    if (known.file != here)
      throw UserError("norms: " + files_[here].name + ":" + std::to_string(reader.line()) + ":rot-id: '" +
                      std::string(cells[norms::kRotId]) + "' is also in " + files_[known.file].name + ":" +
                      std::to_string(known.line) + "; remove one of the two rows, or read the files one by one");
    for (auto& [column, counted] : by_value_) count(counted, column, cells[column]);
    const Row row{here, known.count++, reader.line(), reader.record_begin()};
    if (const auto split = is_read(cells) ? split_of(cells) : std::nullopt)
      rows_[static_cast<size_t>(*split)].push_back(row);
  }

  // A value outside the column's set may be a text of a row that is out of step, so it is not named, and is counted
  // last.
  static void count(std::vector<int64_t>& counts, size_t column, std::string_view cell) {
    const auto& values = norms::columns()[column].values;
    counts.resize(values.size() + 1);
    ++counts[static_cast<size_t>(std::find(values.begin(), values.end(), cell) - values.begin())];
  }

  bool is_read(const norms::Cells& cells) const {
    const auto among = [](const std::vector<std::string>& values, std::string_view value) {
      return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
    };
    int m = 0, bad = 0;
    norms::read_integer(cells[norms::kM], m);
    norms::read_integer(cells[norms::kRotBad], bad);
    return among(config_.splits, cells[norms::kSplit]) && among(config_.areas, cells[norms::kArea]) &&
           (config_.m.empty() || std::find(config_.m.begin(), config_.m.end(), m) != config_.m.end()) &&
           (config_.bad == "with" || (bad == 1) == (config_.bad == "only"));
  }

  std::optional<Split> split_of(const norms::Cells& cells) const {
    if (config_.divide == "situation")
      return assay::dataset::hashed_split(std::string(cells[norms::kSituationId]), config_.validation_fraction,
                                          config_.test_fraction);
    const auto split = cells[norms::kSplit];
    if (split == "train") return Split::kTrain;
    if (split == "dev") return Split::kValidation;
    if (split == "test") return Split::kTest;
    return std::nullopt;
  }

  Config config_;
  assay::Source source_;
  std::vector<File> files_;
  std::array<std::vector<Row>, 3> rows_;
  std::map<size_t, std::vector<int64_t>> by_value_{{norms::kArea, {}}, {norms::kSplit, {}}};  // rows, by column
  std::map<std::string, int64_t> counts_;
  norms::Irregularities irregularities_;
};

}  // namespace

ASSAY_PLUGIN("norms", "1.0.0", assay::component<Norms>("norms"))
