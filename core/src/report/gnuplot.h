// Runs gnuplot on a generated script.
#pragma once

#include <filesystem>
#include <string>

namespace assay::report {

// Runs in the script's folder, so that the script names the files beside it. `what`: what it draws, for the error.
// Throws UserError when gnuplot is not installed or fails.
void run_gnuplot(const std::filesystem::path& script, const std::string& what);

// This text as a string expression of gnuplot, on one line.
std::string gnuplot_string(const std::string& text);

// A comment line with its line feed.
std::string gnuplot_comment(const std::string& text);

}  // namespace assay::report
