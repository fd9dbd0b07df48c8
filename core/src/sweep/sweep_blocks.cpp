#include "sweep/sweep_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/nearest.h"
#include "sweep/range.h"

namespace assay::sweep {
namespace {

// The sections that determine the trained weights. The others cannot be axes, for the reasons below.
const std::vector<std::string> kSweepable{"data",      "model",     "objective", "transform", "callback",
                                          "optimizer", "scheduler", "train",     "init"};

const std::vector<std::string> kLadderBudgets{"flops", "tokens_per_parameter", "tokens", "steps"};

std::string why_no_axis(const std::string& section) {
  if (section == "evaluate") return "every run has every [[evaluate]]; add another entry instead";
  if (section == "resources" || section == "log")
    return fmt::format("[{}] does not affect results, so all these runs would be identical", section);
  if (section == "experiment") return "seeds are set in experiment.seeds";
  return "";
}

class BlockReader {
 public:
  explicit BlockReader(document::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Block read(const document::Node& node) {
    const auto* table = node.as<document::Table>();
    if (!table) {
      diagnostics_.add(node.position, fmt::format("an entry of [[sweep]] must be a table with 'grid', but is {}",
                                                  document::describe(node)));
      return {};
    }
    for (const auto& entry : table->entries) {
      if (entry.key == "grid")
        add_grid(entry.value, "[sweep.grid]", given_, block_.dimensions);
      else if (entry.key == "zip")
        each(entry.value, "zip", [&](const document::Node& one) { add_zip(one); });
      else if (entry.key == "ladder")
        each(entry.value, "ladder", [&](const document::Node& one) { add_ladder(one); });
      else if (entry.key == "case")
        each(entry.value, "case", [&](const document::Node& one) { add_case(one); });
      else if (entry.key == "when")
        each(entry.value, "when", [&](const document::Node& one) { add_when(one); });
      else if (entry.key == "exclude")
        each(entry.value, "exclude",
             [&](const document::Node& one) { block_.excludes.push_back(read_selector(one, diagnostics_)); });
      else
        unknown(entry, "[[sweep]]", {"grid", "zip", "ladder", "case", "when", "exclude"});
    }
    if (!cases_.empty()) block_.dimensions.push_back(std::move(cases_));
    return std::move(block_);
  }

 private:
  using Given = std::map<document::KeyPath, document::Position>;  // where each key of a block is swept

  void unknown(const document::Entry& entry, const char* owner, const std::vector<std::string>& words) {
    diagnostics_.add(entry.position, fmt::format("unknown key '{}' for {}{}", entry.key, owner,
                                                 base::suggestion(entry.key, words, "its keys are ")));
  }

  // [[sweep.zip]] is a list of tables; a single [sweep.zip] is a list of one.
  template <class Use>
  void each(const document::Node& node, const char* name, Use use) {
    const document::Array single{node};
    for (const auto& one : node.as<document::Array>() ? *node.as<document::Array>() : single) {
      if (one.is_table())
        use(one);
      else
        diagnostics_.add(one.position,
                         fmt::format("[[sweep.{}]] must be a table, but is {}", name, document::describe(one)));
    }
  }

  bool may_sweep(const document::KeyPath& path, const document::Position& position, Given& given) {
    const auto name = document::short_name(path);
    if (std::find(kSweepable.begin(), kSweepable.end(), path[0]) == kSweepable.end()) {
      const auto reason = why_no_axis(path[0]);
      diagnostics_.add(position, fmt::format("'{}' cannot be swept{}", name,
                                             reason.empty() ? base::suggestion(path[0], kSweepable,
                                                                               "sections that can be swept are ")
                                                            : ": " + reason));
      return false;
    }
    const auto [before, is_new] = given.emplace(path, position);
    if (!is_new)
      diagnostics_.add(position, fmt::format("axis '{}' is given twice in this block; it is also given at {}", name,
                                             before->second.text()));
    return is_new;
  }

  // Reads the axes that a table of dotted keys names.
  void read_axes(const document::Table& table, const document::KeyPath& parent, Given& given, std::vector<Axis>& axes,
                 bool advance_together = false) {
    for (const auto& entry : table.entries) {
      auto path = parent;
      path.push_back(entry.key);
      const auto* inner = entry.value.as<document::Table>();
      if (inner && !is_range(entry.value) && !inner->entries.empty()) {
        read_axes(*inner, path, given, axes, advance_together);
        continue;
      }
      Axis axis;
      axis.path = document::canonical_path(std::move(path));
      axis.name = document::short_name(axis.path);
      axis.position = entry.position;
      if (!may_sweep(axis.path, axis.position, given)) continue;
      read_axis_values(entry.value, axis, diagnostics_, advance_together);
      if (!axis.values.empty()) axes.push_back(std::move(axis));
    }
  }

  static void add_to(Alternative& alternative, const Axis& axis, size_t i) {
    const auto& value = axis.values[i];
    alternative.sets.push_back({axis.path, axis.position, value.value});
    alternative.choices.push_back({axis.name, axis.path, value.shown, value.text});
  }

  void add_grid(const document::Node& node, const char* owner, Given& given, std::vector<Dimension>& dimensions) {
    const auto* table = node.as<document::Table>();
    if (!table)
      return diagnostics_.add(node.position,
                              fmt::format("{} must be a table of axes, but is {}", owner, document::describe(node)));
    std::vector<Axis> axes;
    read_axes(*table, {}, given, axes);
    for (const auto& axis : axes) {
      auto& dimension = dimensions.emplace_back(axis.values.size());
      for (size_t i = 0; i < axis.values.size(); ++i) add_to(dimension[i], axis, i);
    }
  }

  // A family of sizes, which is a zip, by budgets, which are a grid of one axis of [train].
  void add_ladder(const document::Node& node) {
    const auto& table = *node.as<document::Table>();
    const document::Entry* budget = nullptr;
    for (const auto& entry : table.entries) {
      if (entry.key == "sizes") continue;
      if (std::find(kLadderBudgets.begin(), kLadderBudgets.end(), entry.key) == kLadderBudgets.end())
        unknown(entry, "[[sweep.ladder]]", {"sizes", "flops", "tokens_per_parameter", "tokens", "steps"});
      else if (budget)
        diagnostics_.add(entry.position, fmt::format("[[sweep.ladder]] takes one budget, but '{}' and '{}' are given",
                                                     budget->key, entry.key));
      else
        budget = &entry;
    }
    const auto* sizes = table.find("sizes");
    if (!sizes || !sizes->is_table() || !budget)
      return diagnostics_.add(node.position,
                              "a [[sweep.ladder]] needs 'sizes' (keys of the model with lists of equal length) and one "
                              "budget: 'flops' for IsoFLOP profiles, or 'tokens_per_parameter', 'tokens' or 'steps'");
    add_zip(*sizes, "'sizes' of [[sweep.ladder]]");
    document::Table train, axes;
    train.set(budget->key, budget->position, budget->value);
    axes.set("train", budget->position, {std::move(train), budget->position});
    add_grid({std::move(axes), budget->position}, "[[sweep.ladder]]", given_, block_.dimensions);
  }

  void add_zip(const document::Node& node, const char* owner = "[[sweep.zip]]") {
    std::vector<Axis> axes;
    read_axes(*node.as<document::Table>(), {}, given_, axes, /*advance_together=*/true);
    if (axes.empty()) return;
    Dimension dimension(axes[0].values.size());
    for (const auto& axis : axes) {
      if (axis.values.size() != dimension.size())
        return diagnostics_.add(
            axis.position, fmt::format("lists of {} must have equal lengths, but '{}' has {} value{} and '{}' has {}",
                                       owner, axis.name, axis.values.size(), axis.values.size() == 1 ? "" : "s",
                                       axes[0].name, dimension.size()));
      for (size_t i = 0; i < dimension.size(); ++i) add_to(dimension[i], axis, i);
    }
    for (size_t i = 0; i < dimension.size(); ++i)
      for (size_t before = 0; before < i; ++before)
        if (dimension[before].choices == dimension[i].choices)
          diagnostics_.add(axes[0].position, fmt::format("entries {} and {} of {} are equal; remove one of them",
                                                         before + 1, i + 1, owner));
    block_.dimensions.push_back(std::move(dimension));
  }

  // Each leaf of `set` is an assignment; a table that names a component is a leaf.
  void read_settings(const document::Table& table, const document::KeyPath& parent, Given& given,
                     Alternative& alternative) {
    for (const auto& entry : table.entries) {
      auto path = parent;
      path.push_back(entry.key);
      const auto* inner = entry.value.as<document::Table>();
      if (inner && !inner->find("use") && !inner->entries.empty()) {
        read_settings(*inner, path, given, alternative);
        continue;
      }
      path = document::canonical_path(std::move(path));
      if (may_sweep(path, entry.position, given))
        alternative.sets.push_back({std::move(path), entry.position, entry.value});
    }
  }

  void add_case(const document::Node& node) {
    const auto& table = *node.as<document::Table>();
    for (const auto& entry : table.entries)
      if (entry.key != "label" && entry.key != "set") unknown(entry, "[[sweep.case]]", {"label", "set"});
    const auto* label = document::string_of(table, "label");
    const auto* set = table.find("set");
    if (!label || !set || !set->is_table())
      return diagnostics_.add(node.position,
                              "a [[sweep.case]] needs 'label' (a string) and 'set' (a table of keys and values)");
    Alternative alternative;
    for (const auto& other : cases_)
      if (other.choices[0].text == *label)
        return diagnostics_.add(
            table.find("label")->position,
            fmt::format("more than one [[sweep.case]] of this block is labelled '{}'; labels must be unique", *label));
    Given given;  // the other cases are alternatives and may set the same keys
    read_settings(*set->as<document::Table>(), {}, given, alternative);
    for (const auto& [path, position] : given) {
      const auto before = given_.find(path);
      if (before != given_.end() && !case_keys_.count(path))
        diagnostics_.add(position, fmt::format("axis '{}' is given twice in this block; it is also given at {}",
                                               document::short_name(path), before->second.text()));
      given_.emplace(path, position);
      case_keys_.emplace(path, position);
    }
    alternative.choices.push_back({"case", {}, *label, *label});
    cases_.push_back(std::move(alternative));
  }

  void add_when(const document::Node& node) {
    const auto& table = *node.as<document::Table>();
    for (const auto& entry : table.entries)
      if (entry.key != "if" && entry.key != "grid") unknown(entry, "[[sweep.when]]", {"if", "grid"});
    const auto *condition = table.find("if"), *grid = table.find("grid");
    if (!condition || !condition->is_table() || !grid)
      return diagnostics_.add(node.position, "a [[sweep.when]] needs 'if' (a selector) and 'grid' (a table of axes)");
    When when{read_selector(*condition, diagnostics_), {}};
    Given given;  // another [[sweep.when]] may have the same axis, under another condition
    add_grid(*grid, "'grid' of [[sweep.when]]", given, when.grid);
    block_.whens.push_back(std::move(when));
  }

  document::Diagnostics& diagnostics_;
  Block block_;
  Given given_, case_keys_;
  Dimension cases_;
};

}  // namespace

std::vector<Block> read_sweep(const document::Node& document, document::Diagnostics& diagnostics) {
  std::vector<Block> blocks;
  if (const auto* sweep = document.as<document::Table>()->find("sweep")) {
    if (const auto* list = sweep->as<document::Array>()) {
      for (const auto& node : *list) blocks.push_back(BlockReader(diagnostics).read(node));
    } else {
      blocks.push_back(BlockReader(diagnostics).read(*sweep));
    }
  }
  if (blocks.empty()) blocks.emplace_back();
  return blocks;
}

}  // namespace assay::sweep
