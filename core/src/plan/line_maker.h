// Makes the lines of plan.jsonl of a resolved group of runs, one per seed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/extends.h"
#include "plan/run_config.h"
#include "record/plan_line/plan_line.h"
#include "schema/descriptors.h"
#include "sweep/seeds.h"
#include "sweep/sweep.h"

namespace assay::plan {

struct Group {
  std::string id;
  RunConfig config;
  nlohmann::json axes;      // name of the axis -> label or value
  std::string label;        // "positional=alibi optimizer.lr=0.003"
  document::Node document;  // for positions of validation errors
};

std::string group_of(const RunConfig& config);

record::PlannedPlugin planned_plugin(const schema::PluginFile& plugin);

// Axes and label of a group. Keys of an entry that is switched off say nothing about the run and are left out.
void describe_choices(const std::vector<sweep::Choice>& choices, const document::Node& document, Group& group);

class LineMaker {
 public:
  LineMaker(std::string experiment, const std::string& file, const document::Document& document,
            const schema::Catalogue& catalogue);

  void add_lines(const Group& group, const std::vector<sweep::Seed>& seeds, std::vector<record::PlanLine>& lines) const;
  // The text of the experiment file, followed by the files that it extends as comments.
  std::string source_text() const;

 private:
  std::string experiment_;
  const document::Document& document_;
  const schema::Catalogue& catalogue_;
  record::PlanOrigin source_;
};

}  // namespace assay::plan
