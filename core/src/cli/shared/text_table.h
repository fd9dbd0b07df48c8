// Formats rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

// Cells are made printable (base/printable.h). Columns are two spaces apart; a column is right-aligned if all of its
// cells below the first row are numbers.
std::string aligned(std::vector<std::vector<std::string>> rows);

}  // namespace assay::cli
