// Row labels of the axes that differ: "positional=alibi optimizer.lr=0.003" without those that all rows share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay::compare {

// "axis=value" for these axes, in the order and spelling of the plan's label if it names them. The whole label if
// nothing would remain.
std::string label_of_axes(const std::string& plan_label, const nlohmann::json& axes,
                          const std::vector<std::string>& shown);

// The axes in which at least two rows differ, including axes that only some rows have; all axes of a single row.
std::vector<std::string> differing_axes(const std::vector<const nlohmann::json*>& axes_of_rows);

}  // namespace assay::compare
