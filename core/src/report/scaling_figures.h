// Figures of scaling laws: loss against FLOPs with the frontier, IsoFLOP profiles, residuals, and compute multipliers.
#pragma once

#include <filesystem>
#include <vector>

#include "scaling/fit.h"

namespace assay::report {

// Writes a CSV, its gnuplot script, an SVG and a PDF for each figure that the fits have; returns the SVGs and CSVs.
// Throws UserError when gnuplot is not installed or fails.
std::vector<std::filesystem::path> draw_scaling_figures(const scaling::Fits& fits, const std::filesystem::path& folder);

}  // namespace assay::report
