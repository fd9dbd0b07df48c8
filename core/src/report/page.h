// The page of a report: one HTML file with all it needs, which opens without a network.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay::report {

// The parts that are built in (core/cmake/assay_report.cmake): page.html, page.css, our scripts, and chart.js with its
// licence.
const std::map<std::string, std::string>& report_files();

// data: of report_data; strings may hold any bytes, and what is no UTF-8 shows as U+FFFD. The page's policy allows its
// own scripts and styles by their hashes and nothing else: no network, and no script that came in with a run's text.
// reload_seconds: the page reloads itself that often; 0: never.
std::string page_with(const nlohmann::ordered_json& data, int reload_seconds);

}  // namespace assay::report
