// Row labels of what differs: "positional=alibi optimizer.lr=0.003" without what all rows share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay::compare {

// "axis=value" of these axes, in the order and the words of the plan's label where it names them. All of the label when
// nothing would be left.
std::string label_of_axes(const std::string& plan_label, const nlohmann::json& axes,
                          const std::vector<std::string>& shown);

// Axes in which at least two rows differ, one having it and another not included; all axes of a single row.
std::vector<std::string> differing_axes(const std::vector<const nlohmann::json*>& axes_of_rows);

}  // namespace assay::compare
