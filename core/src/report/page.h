// The page of a report: one self-contained HTML file, which opens without a network.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay::report {

// The built-in parts (core/cmake/assay_report.cmake): page.html, page.css, our scripts, and chart.js with its licence.
const std::map<std::string, std::string>& report_files();

// data: from report_data; strings may contain any bytes, and invalid UTF-8 is shown as U+FFFD. The page's policy allows
// only its own scripts and styles, by their hashes: no network, and no script from a run's text. reload_seconds: the
// interval at which the page reloads itself; 0: never.
std::string page_with(const nlohmann::ordered_json& data, int reload_seconds);

}  // namespace assay::report
