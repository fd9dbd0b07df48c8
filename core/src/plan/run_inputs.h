// Finds the runs that other runs start from or load, { experiment = "..", where = { .. }, seed = "same" }, among the
// plans.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"
#include "record/plan_line/plan_line.h"
#include "schema/input_finder.h"

namespace assay::plan {

// Returns the runs of an experiment file as lines of its plan. requested_by: the files that led to it, whose runs take
// its runs as inputs.
using LinesOfFile =
    std::function<std::vector<record::PlanLine>(const std::string& file, const std::vector<std::string>& requested_by)>;

class RunInputs final : public schema::InputFinder {
 public:
  // `experiment_file`: the file that names inputs; `requested_by`: the files that led to it, to detect cycles.
  RunInputs(std::string experiment_file, LinesOfFile lines_of_file, std::vector<std::string> requested_by)
      : file_(std::move(experiment_file)),
        lines_of_file_(std::move(lines_of_file)),
        requested_by_(std::move(requested_by)) {}
  // The name of the planned experiment, which cannot take its own runs.
  void set_name(std::string name) { name_ = std::move(name); }
  void set_seeds(std::vector<int64_t> seeds) { seeds_ = std::move(seeds); }

  // Searches the plan in force of the experiment first, then its file under experiments/. Returns null after an error.
  nlohmann::json find(const document::Node& node, const std::string& owner,
                      document::Diagnostics& diagnostics) override;
  // The experiments whose runs were found.
  const std::set<std::string>& experiments() const { return experiments_; }

 private:
  using Lines = std::vector<record::PlanLine>;
  const Lines& in_force(const std::string& experiment);
  const Lines& of_file(const std::string& experiment);
  nlohmann::json choose(const Lines& lines, const document::Node& node, const std::string& experiment,
                        std::string& why) const;

  std::string file_, name_;
  LinesOfFile lines_of_file_;
  std::vector<std::string> requested_by_;
  std::vector<int64_t> seeds_;
  std::map<std::string, Lines> in_force_, of_file_;
  std::set<std::string> experiments_;
};

}  // namespace assay::plan
