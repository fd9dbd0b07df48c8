// Runs gnuplot on a script of ours.
#pragma once

#include <filesystem>
#include <string>

namespace assay::report {

// In the script's folder, so that it names its files as they stand beside it. `what`, for the error: what it draws.
// Throws UserError when gnuplot is not there or fails.
void run_gnuplot(const std::filesystem::path& script, const std::string& what);

// A string expression of gnuplot, on one line, that is this text.
std::string gnuplot_string(const std::string& text);

// A line of its own, with its line feed.
std::string gnuplot_comment(const std::string& text);

}  // namespace assay::report
