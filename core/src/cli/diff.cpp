// assay diff A B: shows what differs between two runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/named_run.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/text_table.h"
#include "compare/results/run_diff.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

void print_text(const std::vector<compare::RunDifference>& differences) {
  std::string part;
  std::vector<std::vector<std::string>> rows;
  const auto flush = [&] {
    if (!rows.empty()) fmt::print("{}\n{}\n", part, aligned(rows));
    rows.clear();
  };
  for (const auto& one : differences) {
    if (one.part != part) flush();
    part = one.part;
    std::vector<std::string> row{"  " + one.key, one.a, one.b};
    if (one.difference) row.push_back(fmt::format("{:+.6g}", *one.difference));
    rows.push_back(std::move(row));
  }
  flush();
}

void print_json(const std::vector<compare::RunDifference>& differences) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& one : differences) {
    list.push_back({{"part", one.part}, {"key", one.key}, {"a", one.a}, {"b", one.b}});
    if (one.difference) list.back()["difference"] = *one.difference;
  }
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

int diff(const Arguments& arguments) {
  std::string format;
  po::options_description options;
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"), "text or json");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 2)
    throw UserError("assay diff takes two runs, by folder or by the beginning of their ids; see assay diff --help");
  if (format != "text" && format != "json")
    throw UserError("--format: '" + format + "' is not a valid format; give text or json");
  const auto a = find_run(parsed->words[0]), b = find_run(parsed->words[1]);
  note_other_plan({a.experiment(), std::nullopt});
  if (a.experiment().folder() != b.experiment().folder()) note_other_plan({b.experiment(), std::nullopt});
  const auto differences = compare::run_differences(a.line, a.layout, b.line, b.layout);
  if (format == "json") {
    print_json(differences);
  } else if (differences.empty()) {
    fmt::print("the runs do not differ\n");
  } else {
    print_text(differences);
  }
  return kDone;
}

}  // namespace assay::cli
