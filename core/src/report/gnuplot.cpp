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
    throw UserError(fmt::format(
        "{}: gnuplot failed{}:\n{}The numbers and the script are written; 'gnuplot {}' draws them.", what,
        status.code == 127 ? " because it is not installed; scripts/setup installs Debian's gnuplot-nox" : "", said,
        script.filename().string()));
}

// A quote becomes a string of its own, because gnuplot 5.4 reads '' as a quote only if no other quote is next to it.
// Single quotes are literal; in double quotes gnuplot would run what is between backticks.
std::string gnuplot_string(const std::string& text) {
  std::string result = "'";
  for (const char one : base::printable(text)) result += one == '\'' ? std::string("'.\"'\".'") : std::string(1, one);
  return result + "'";
}

std::string gnuplot_comment(const std::string& text) {
  return "# " + base::printable(text) + (text.ends_with('\\') ? " " : "") + "\n";  // a trailing backslash joins lines
}

}  // namespace assay::report
