#include "config/sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/merge.h"
#include "config/nearest.h"
#include "config/parse.h"
#include "config/range.h"

namespace assay::config {
namespace {

// What decides the trained weights, section by section. The rest is no axis, for a stated reason.
const std::vector<std::string> kSweepable{"data", "model", "objective", "transform", "optimizer", "scheduler", "train"};

std::string why_no_axis(const std::string& section) {
  if (section == "evaluate") return "every run gets every [[evaluate]]: write one more entry instead";
  if (section == "resources" || section == "log")
    return fmt::format("[{}] does not decide a result, so these runs would all be the same one", section);
  if (section == "experiment") return "seeds stand in experiment.seeds";
  return "";
}

bool check_path(const KeyPath& path, const std::string& name, const Position& position, Diagnostics& diagnostics) {
  if (std::find(kSweepable.begin(), kSweepable.end(), path[0]) != kSweepable.end()) return true;
  const auto reason = why_no_axis(path[0]);
  diagnostics.add(position, fmt::format("'{}' cannot be swept{}", name,
                                        reason.empty() ? suggestion(path[0], kSweepable, "sections that can are ")
                                                       : ": " + reason));
  return false;
}

void add_axes(Block& block, KeyPath path, const Entry& entry, Diagnostics& diagnostics) {
  path.push_back(entry.key);
  const auto* table = entry.value.as<Table>();
  if (table && !is_range(entry.value) && !table->entries.empty()) {
    for (const auto& inner : table->entries) add_axes(block, path, inner, diagnostics);
    return;
  }
  Axis axis;
  axis.path = canonical_path(std::move(path));
  axis.name = short_name(axis.path);
  axis.position = entry.position;
  if (!check_path(axis.path, axis.name, axis.position, diagnostics)) return;
  const auto same =
      std::find_if(block.axes.begin(), block.axes.end(), [&](const Axis& other) { return other.path == axis.path; });
  if (same != block.axes.end()) {
    diagnostics.add(axis.position, fmt::format("axis '{}' is given twice in this block, before at {}", axis.name,
                                               same->position.text()));
    return;
  }
  read_axis_values(entry.value, axis, diagnostics);
  if (!axis.values.empty()) block.axes.push_back(std::move(axis));
}

Block read_block(const Node& node, Diagnostics& diagnostics) {
  static const std::vector<std::string> kWords{"grid", "zip", "case", "when", "exclude"};
  Block block;
  const auto* table = node.as<Table>();
  if (!table) {
    diagnostics.add(node.position,
                    fmt::format("an entry of [[sweep]] must be a table with 'grid', but is {}", describe(node)));
    return block;
  }
  for (const auto& entry : table->entries) {
    const bool known = std::find(kWords.begin(), kWords.end(), entry.key) != kWords.end();
    if (!known) {
      diagnostics.add(entry.position, fmt::format("unknown key '{}' for [[sweep]]{}", entry.key,
                                                  suggestion(entry.key, kWords, "its keys are ")));
    } else if (entry.key != "grid") {
      diagnostics.add(
          entry.position,
          fmt::format("'{}' of [[sweep]] is not available yet; [sweep.grid] is: several blocks with one value "
                      "an axis say the same",
                      entry.key));
    } else if (!entry.value.is_table()) {
      diagnostics.add(entry.value.position,
                      fmt::format("[sweep.grid] must be a table of axes, but is {}", describe(entry.value)));
    } else {
      for (const auto& axis : entry.value.as<Table>()->entries) add_axes(block, {}, axis, diagnostics);
    }
  }
  return block;
}

}  // namespace

size_t Block::combinations() const {
  size_t count = 1;
  for (const auto& axis : axes) count = std::min(count * axis.values.size(), kMostRuns + 1);
  return count;
}

std::vector<Block> read_sweep(const Node& document, Diagnostics& diagnostics) {
  std::vector<Block> blocks;
  if (const auto* sweep = document.as<Table>()->find("sweep")) {
    if (const auto* list = sweep->as<Array>()) {
      for (const auto& node : *list) blocks.push_back(read_block(node, diagnostics));
    } else {
      blocks.push_back(read_block(*sweep, diagnostics));
    }
  }
  if (blocks.empty()) blocks.emplace_back();
  return blocks;
}

std::vector<Override> read_overrides(const std::vector<std::string>& assignments, Diagnostics& diagnostics) {
  std::vector<Override> overrides;
  for (const auto& assignment : assignments) {
    const Position position{std::make_shared<const std::string>("--set " + assignment), 0, 0};
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      diagnostics.add(position, "an assignment has the form key=value, for instance optimizer.lr=1e-3");
      continue;
    }
    Override made;
    made.path = canonical_path(split_key(assignment.substr(0, equals)));
    made.name = short_name(made.path);
    made.position = position;
    made.value = parse_argument_value(assignment.substr(equals + 1), position, diagnostics);
    const bool twice =
        std::any_of(overrides.begin(), overrides.end(), [&](const Override& other) { return other.path == made.path; });
    if (twice) {
      diagnostics.add(position, fmt::format("'{}' is set twice", made.name));
    } else if (made.path[0] == "sweep" || made.path[0] == "extends") {
      diagnostics.add(position,
                      fmt::format("'{}' is not a value that can be set; set the swept key itself", made.name));
    } else {
      overrides.push_back(std::move(made));
    }
  }
  return overrides;
}

void collapse_axes(std::vector<Block>& blocks, const std::vector<Override>& overrides) {
  Diagnostics ignored;  // the value itself is checked where it is resolved
  for (auto& block : blocks)
    for (auto& axis : block.axes)
      for (const auto& override_ : overrides)
        if (override_.path == axis.path) {
          axis.values = {axis_value(override_.value, ignored)};
          axis.position = override_.position;
        }
}

std::vector<std::pair<const Axis*, const AxisValue*>> choices_of(const Block& block, size_t index) {
  std::vector<std::pair<const Axis*, const AxisValue*>> choices(block.axes.size());
  for (size_t i = block.axes.size(); i-- > 0;) {
    const auto& axis = block.axes[i];
    choices[i] = {&axis, &axis.values[index % axis.values.size()]};
    index /= axis.values.size();
  }
  return choices;
}

Node combination(const Node& base, const Block& block, size_t index, const std::vector<Override>& overrides,
                 Diagnostics& diagnostics) {
  struct Assignment {
    const KeyPath* path;
    const Position* position;
    const Node* value;
  };
  std::vector<Assignment> assignments;
  for (const auto& [axis, value] : choices_of(block, index))
    assignments.push_back({&axis->path, &axis->position, &value->value});
  for (const auto& override_ : overrides) {
    const auto same = [&](const Axis& axis) { return axis.path == override_.path; };
    if (std::none_of(block.axes.begin(), block.axes.end(), same))
      assignments.push_back({&override_.path, &override_.position, &override_.value});
  }
  std::stable_sort(assignments.begin(), assignments.end(),
                   [](const Assignment& a, const Assignment& b) { return a.path->size() < b.path->size(); });
  Node document = base;
  for (const auto& assignment : assignments)
    set_path(document, *assignment.path, *assignment.position, *assignment.value, diagnostics);
  expand_shorthands(document, diagnostics);  // a swept [[objective]] list may hold bare names
  return document;
}

}  // namespace assay::config
