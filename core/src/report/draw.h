// Draws figures with gnuplot.
#pragma once

#include <filesystem>

#include "report/figure.h"

namespace assay::report {

// Writes <name>.csv and <name>.gp into the folder and has gnuplot make <name>.svg and <name>.pdf of them; the same
// figure gives the same bytes. Throws UserError when gnuplot is not there or fails; the CSV and the script then stand.
void draw_figure(const Figure& figure, const std::filesystem::path& folder);

}  // namespace assay::report
