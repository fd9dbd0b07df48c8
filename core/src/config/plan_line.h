// A resolved group of runs to its lines of plan.jsonl, one a seed.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/descriptors.h"
#include "config/extends.h"
#include "config/run_config.h"
#include "config/seeds.h"
#include "config/sweep.h"

namespace assay::config {

struct Group {
  std::string id;
  RunConfig config;
  nlohmann::json axes;  // name of the axis -> label or value
  std::string label;    // "positional=alibi optimizer.lr=0.003"
  Node document;        // for the positions of findings
};

std::string group_of(const RunConfig& config);

// Axes and label of a group. Keys of an entry that is switched off say nothing about the run and are left out.
void describe_choices(const std::vector<Choice>& choices, const Node& document, Group& group);

class LineMaker {
 public:
  LineMaker(std::string experiment, const std::string& file, const Document& document, const Catalogue& catalogue);

  void add_lines(const Group& group, const std::vector<Seed>& seeds, std::vector<nlohmann::json>& lines) const;
  // The experiment file as it is; below it, as comments, the files that it extends.
  std::string source_text() const;

 private:
  std::string experiment_;
  const Document& document_;
  const Catalogue& catalogue_;
  nlohmann::json source_;
};

// One line of JSON. File names need not be UTF-8; what is not is replaced.
std::string plan_text(const nlohmann::json& line);

}  // namespace assay::config
