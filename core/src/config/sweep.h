// [[sweep]]: axes of values, multiplied inside a block; blocks stand one after another.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/key_path.h"
#include "config/node.h"

namespace assay::config {

struct AxisValue {
  Node value;            // without the axis label
  nlohmann::json shown;  // the label, the name of a component, or the value itself
  std::string text;      // short form of `shown` for row labels
};

struct Axis {
  KeyPath path;      // canonical
  std::string name;  // as shown: positional, optimizer.lr
  Position position;
  std::vector<AxisValue> values;
};

struct Block {
  std::vector<Axis> axes;  // in the order of the file: the last one turns fastest
  size_t combinations() const;
};

// One assignment of --set, or of the word key=value.
struct Override {
  KeyPath path;
  std::string name;
  Position position;
  Node value;
};

inline constexpr size_t kMostRuns = 100'000;

// Without a [[sweep]]: one block with no axes. What is wrong is reported and left out.
std::vector<Block> read_sweep(const Node& document, Diagnostics& diagnostics);

std::vector<Override> read_overrides(const std::vector<std::string>& assignments, Diagnostics& diagnostics);

// An override of a swept key leaves its value as the axis' only one.
void collapse_axes(std::vector<Block>& blocks, const std::vector<Override>& overrides);

// The document of one combination: `index` counts through a block's combinations. Assignments nearer to the root go
// first, so that a swept component is in place before its keys are set.
Node combination(const Node& base, const Block& block, size_t index, const std::vector<Override>& overrides,
                 Diagnostics& diagnostics);

// (axis, value) of a combination, in the order of the axes.
std::vector<std::pair<const Axis*, const AxisValue*>> choices_of(const Block& block, size_t index);

}  // namespace assay::config
