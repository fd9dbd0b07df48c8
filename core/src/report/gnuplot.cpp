#include "report/gnuplot.h"

#include <fmt/format.h>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/process.h"

namespace assay::report {

void run_gnuplot(const std::filesystem::path& script, const std::string& what) {
  auto log = script;
  log += ".log";
  std::filesystem::remove(log);
  base::Process gnuplot({"env", "-C", script.parent_path().string(), "gnuplot", script.filename().string()},
                        {{"TZ", "UTC"}, {"LC_ALL", "C.UTF-8"}}, log);
  const auto status = gnuplot.wait();
  const auto said = base::read_file(log);
  std::filesystem::remove(log);
  if (status.code != 0)
    throw UserError(
        fmt::format("{} could not be drawn{}:\n{}The numbers and the script are there; 'gnuplot {}' draws them.", what,
                    status.code == 127 ? " (gnuplot is Debian's gnuplot-nox; scripts/setup installs it)" : "", said,
                    script.filename().string()));
}

// Quotes come in pieces of their own: gnuplot 5.4 takes '' for a quote only where no other quote is beside it. Nothing
// has a meaning in single quotes, where double ones would run what is between backticks.
std::string gnuplot_string(const std::string& text) {
  std::string result = "'";
  for (const char one : base::printable(text)) result += one == '\'' ? std::string("'.\"'\".'") : std::string(1, one);
  return result + "'";
}

std::string gnuplot_comment(const std::string& text) {
  return "# " + base::printable(text) + (text.ends_with('\\') ? " " : "") + "\n";  // a backslash at the end joins lines
}

}  // namespace assay::report
