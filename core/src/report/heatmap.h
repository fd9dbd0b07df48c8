// A matrix of cosines between the tokens of a text as a picture.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::report {

struct Heatmap {
  std::string title;
  std::vector<std::vector<double>> cosines;  // square, a row a token
  std::vector<std::string> labels;           // of the tokens
};

// UserError when it does not end in .png.
void check_heatmap_name(const std::filesystem::path& png);

// The PNG and, beside it, the numbers (map.png.txt) and the script (map.png.gp) that redraws it of them. Throws
// UserError as check_heatmap_name, when gnuplot is not there or fails, or when a file cannot be written.
void draw_heatmap(const Heatmap& heatmap, const std::filesystem::path& png);

}  // namespace assay::report
