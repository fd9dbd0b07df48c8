#include "report/draw.h"

#include <regex>

#include "base/files.h"
#include "report/gnuplot.h"

namespace assay::report {
namespace {

// cairo always writes the time of drawing; the replacement has the same length because PDF counts bytes. From
// version 1.18 on the time is in a compressed stream and stays.
std::string without_date(const std::string& pdf) {
  static const std::regex date("(/CreationDate \\(D:)[0-9]{14}");
  return std::regex_replace(pdf, date, "$0119700101000000", std::regex_constants::format_first_only);
}

}  // namespace

void draw_files(const std::string& name, const std::string& csv, const std::string& script,
                const std::filesystem::path& folder) {
  const auto file = [&](const char* end) { return folder / (name + end); };
  std::filesystem::create_directories(folder);
  base::write_atomically(file(".csv"), csv);
  base::write_atomically(file(".gp"), script);
  run_gnuplot(file(".gp"), file(".svg").string());
  base::write_atomically(file(".pdf"), without_date(base::read_file(file(".pdf"))));
}

void draw_figure(const Figure& figure, const std::filesystem::path& folder) {
  draw_files(figure.name, figure_csv(figure), figure_script(figure), folder);
}

}  // namespace assay::report
