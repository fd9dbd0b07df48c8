#include "report/draw.h"

#include <fmt/format.h>

#include <regex>
#include <thread>

#include "assay/error.h"
#include "launch/process.h"
#include "record/files.h"

namespace assay {
namespace {

using namespace std::chrono_literals;

ExitStatus wait_for(Process& process) {
  for (;;) {
    if (const auto status = process.poll()) return *status;
    std::this_thread::sleep_for(5ms);
  }
}

// cairo writes the time of drawing, whatever it is told; the new text is as long, for PDF counts bytes.
std::string without_date(const std::string& pdf) {
  static const std::regex date("(/CreationDate \\(D:)[0-9]{14}");
  return std::regex_replace(pdf, date, "$0119700101000000", std::regex_constants::format_first_only);
}

}  // namespace

void draw_figure(const Figure& figure, const std::filesystem::path& folder) {
  const auto file = [&](const char* end) { return folder / (figure.name + end); };
  std::filesystem::create_directories(folder);
  write_atomically(file(".csv"), figure_csv(figure));
  write_atomically(file(".gp"), figure_script(figure));
  const auto log = file(".log");
  std::filesystem::remove(log);
  // env -C: the script names its files as they stand beside it.
  Process gnuplot({"env", "-C", folder.string(), "gnuplot", figure.name + ".gp"},
                  {{"TZ", "UTC"}, {"LC_ALL", "C.UTF-8"}}, log);
  const auto status = wait_for(gnuplot);
  const auto said = read_file(log);
  std::filesystem::remove(log);
  if (status.code != 0)
    throw UserError(fmt::format(
        "{} could not be drawn{}:\n{}The numbers and the script are there; 'gnuplot {}.gp' draws them.",
        file(".svg").string(),
        status.code == 127 ? " (gnuplot is Debian's gnuplot-nox; scripts/setup installs it)" : "", said, figure.name));
  write_atomically(file(".pdf"), without_date(read_file(file(".pdf"))));
}

}  // namespace assay
