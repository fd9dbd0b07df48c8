// Runs gnuplot on a generated script.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace assay::report {

// Runs in the script's folder, so that the script names the files beside it. `what`: what it draws, for the error.
// Throws UserError when gnuplot is not installed or fails.
void run_gnuplot(const std::filesystem::path& script, const std::string& what);

// This text as a string expression of gnuplot, on one line.
std::string gnuplot_string(const std::string& text);

// A comment line with its line feed.
std::string gnuplot_comment(const std::string& text);

inline constexpr std::size_t kGnuplotColours = 7;
// Defines the line types 1 .. kGnuplotColours.
std::string gnuplot_linetypes();

// Draws these plots into <name>.svg and <name>.pdf.
std::string gnuplot_outputs(const std::string& name, const std::vector<std::string>& plots);

}  // namespace assay::report
