// Draws figures with gnuplot.
#pragma once

#include <filesystem>
#include <string>

#include "report/figure.h"

namespace assay::report {

// Writes <name>.csv and <name>.gp into the folder and runs gnuplot to make <name>.svg and <name>.pdf; the same figure
// gives the same bytes, except for the time of drawing in the PDF of cairo 1.18 and later. Throws UserError when
// gnuplot is not installed or fails; the CSV and the script are kept.
void draw_figure(const Figure& figure, const std::filesystem::path& folder);

// The same for any script that makes <name>.svg and <name>.pdf from <name>.csv.
void draw_files(const std::string& name, const std::string& csv, const std::string& script,
                const std::filesystem::path& folder);

}  // namespace assay::report
