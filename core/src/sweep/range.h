// The values of one axis: a list, or a range { log = [1e-3, 1e-2], n = 3 }, { linear = [0, 1], n = 5 }, { values = [..]
// }.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"

namespace assay::sweep {

struct AxisValue {
  document::Node value;  // without the axis label
  nlohmann::json shown;  // the label, the name of a component, or the value itself
  std::string text;      // short form of `shown` for row labels
};

struct Axis {
  document::KeyPath path;  // canonical
  std::string name;        // displayed name: positional, optimizer.lr
  document::Position position;
  std::vector<AxisValue> values;
};

// True for a table with the keys log or linear and n, or values. No parameter has these names.
bool is_range(const document::Node& node);

// Reads the values of the axis from a list or a range; reports errors. `may_repeat`: in lists that advance together, an
// axis may have a value several times.
void read_axis_values(const document::Node& node, Axis& axis, document::Diagnostics& diagnostics,
                      bool may_repeat = false);

// Makes the axis value of one configuration value.
AxisValue axis_value(document::Node value, document::Diagnostics& diagnostics);

}  // namespace assay::sweep
