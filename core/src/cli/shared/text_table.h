// Rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

// Cells as record/printable.h shows them. Two spaces between columns; a column whose cells below the first row are all
// numbers is set flush right.
std::string aligned(std::vector<std::vector<std::string>> rows);

// 2000896 as "2,000,896".
std::string grouped(long long number);

}  // namespace assay::cli
