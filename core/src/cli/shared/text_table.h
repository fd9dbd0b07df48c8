// Rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

// Cells as record/printable.h shows them. Two spaces between columns; a column whose cells below the first row are all
// numbers is set flush right.
std::string aligned(std::vector<std::vector<std::string>> rows);

}  // namespace assay::cli
