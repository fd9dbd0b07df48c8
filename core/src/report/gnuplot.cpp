#include "report/gnuplot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/process.h"

namespace assay::report {
namespace {

// Okabe and Ito 2008: distinguishable with any kind of colour vision, and in print.
constexpr const char* kColours[kGnuplotColours] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                   "#e69f00", "#56b4e9", "#000000"};

}  // namespace

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

std::string gnuplot_linetypes() {
  std::string commands;
  for (std::size_t i = 0; i < kGnuplotColours; ++i)
    commands +=
        fmt::format("set linetype {} linecolor rgb '{}' linewidth 1.5 pointtype 7 pointsize 0.6\n", i + 1, kColours[i]);
  return commands;
}

std::string gnuplot_outputs(const std::string& name, const std::vector<std::string>& plots) {
  const auto terminal = [&](const char* kind, const char* size, const char* end) {
    return fmt::format("set terminal {} size {} noenhanced font 'sans,11' background rgb 'white'\nset output '{}.{}'\n",
                       kind, size, name, end);
  };
  return terminal("svg", "800,480", "svg") + fmt::format("plot {}\n", fmt::join(plots, ", \\\n     ")) +
         terminal("pdfcairo", "8in,4.8in", "pdf") + "replot\n";
}

}  // namespace assay::report
