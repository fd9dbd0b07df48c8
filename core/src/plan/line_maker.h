// A resolved group of runs to its lines of plan.jsonl, one a seed.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/extends.h"
#include "plan/run_config.h"
#include "schema/descriptors.h"
#include "sweep/seeds.h"
#include "sweep/sweep.h"

namespace assay::plan {

struct Group {
  std::string id;
  RunConfig config;
  nlohmann::json axes;      // name of the axis -> label or value
  std::string label;        // "positional=alibi optimizer.lr=0.003"
  document::Node document;  // for the positions of findings
};

std::string group_of(const RunConfig& config);

// Axes and label of a group. Keys of an entry that is switched off say nothing about the run and are left out.
void describe_choices(const std::vector<sweep::Choice>& choices, const document::Node& document, Group& group);

class LineMaker {
 public:
  LineMaker(std::string experiment, const std::string& file, const document::Document& document,
            const schema::Catalogue& catalogue);

  void add_lines(const Group& group, const std::vector<sweep::Seed>& seeds, std::vector<nlohmann::json>& lines) const;
  // The experiment file as it is; below it, as comments, the files that it extends.
  std::string source_text() const;

 private:
  std::string experiment_;
  const document::Document& document_;
  const schema::Catalogue& catalogue_;
  nlohmann::json source_;
};

// One line of JSON. File names need not be UTF-8; what is not is replaced.
std::string plan_text(const nlohmann::json& line);

}  // namespace assay::plan
