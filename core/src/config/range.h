// The values of one axis: a list, or a range { log = [1e-3, 1e-2], n = 3 }, { linear = [0, 1], n = 5 }, { values = [..]
// }.
#pragma once

#include "config/sweep.h"

namespace assay::config {

// True for a table of the words log or linear with n, or of values; those are no parameter names.
bool is_range(const Node& node);

// Fills the axis from a list or a range; reports what is wrong.
void read_axis_values(const Node& node, Axis& axis, Diagnostics& diagnostics);

// The axis value that stands for one configuration value.
AxisValue axis_value(Node value, Diagnostics& diagnostics);

}  // namespace assay::config
