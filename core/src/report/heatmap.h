// Plots a matrix of cosines between the tokens of a text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::report {

struct Heatmap {
  std::string title;
  std::vector<std::vector<double>> cosines;  // square, one row per token
  std::vector<std::string> labels;           // one per token
};

// Throws UserError when the name does not end in .png.
void check_heatmap_name(const std::filesystem::path& png);

// Writes the PNG and, beside it, the numbers (map.png.txt) and the script (map.png.gp) that draws them. Throws
// UserError like check_heatmap_name, when gnuplot is not installed or fails, or when a file cannot be written.
void draw_heatmap(const Heatmap& heatmap, const std::filesystem::path& png);

}  // namespace assay::report
