#include "report/heatmap.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/error.h"
#include "base/files.h"
#include "report/gnuplot.h"

namespace assay::report {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxLabels = 64;  // with more tokens, numbers are shown instead

// The token on one line; a byte that is not a printable ASCII character is shown as its number.
std::string shown(const std::string& token) {
  std::string text;
  for (const char one : token) {
    const auto byte = static_cast<unsigned char>(one);
    text += one == ' ' ? "_" : byte < 0x20 || byte >= 0x7f ? fmt::format("<{:02x}>", byte) : std::string(1, one);
  }
  return text;
}

std::string script_of(const Heatmap& heatmap, const std::string& name) {
  const auto count = heatmap.cosines.size();
  auto script = fmt::format(
      "set terminal pngcairo size 900,820 noenhanced font 'sans,9' background rgb 'white'\n"
      "set output {}\n"
      "set title {}\n"
      "set palette defined (0 '#f7fbff', 0.25 '#c6dbef', 0.5 '#6baed6', 0.75 '#2171b5', 1 '#08306b')\n"
      "set cblabel 'cosine of the final hidden states'\n"
      "set cbrange [{}:1]\n"
      "set xrange [-0.5:{}]\nset yrange [{}:-0.5]\n"
      "set size square\nset tics scale 0\n",
      gnuplot_string(name), gnuplot_string(heatmap.title),
      // The range starts at 0 if no cosine is negative, so that plots can be compared.
      [&] {
        for (const auto& row : heatmap.cosines)
          for (const double cosine : row)
            if (cosine < 0) return -1;
        return 0;
      }(),
      static_cast<double>(count) - 0.5, static_cast<double>(count) - 0.5);
  if (count <= kMaxLabels) {
    std::vector<std::string> tics;
    for (size_t i = 0; i < heatmap.labels.size(); ++i)
      tics.push_back(fmt::format("{} {}", gnuplot_string(shown(heatmap.labels[i])), i));
    script += fmt::format("set xtics rotate by 90 right ({0})\nset ytics ({0})\n", fmt::join(tics, ", "));
  }
  return script + fmt::format("plot {} matrix with image notitle\n", gnuplot_string(name + ".txt"));
}

}  // namespace

void check_heatmap_name(const fs::path& png) {
  if (png.extension() != ".png")
    throw UserError(png.string() + ": a heat map is a PNG file; give a name that ends in .png");
}

void draw_heatmap(const Heatmap& heatmap, const fs::path& png) {
  check_heatmap_name(png);
  const auto whole = fs::absolute(png).string();
  std::string numbers;
  for (const auto& row : heatmap.cosines) numbers += fmt::format("{:.6f}\n", fmt::join(row, " "));
  base::write_atomically(whole + ".txt", numbers);
  base::write_atomically(whole + ".gp", script_of(heatmap, png.filename().string()));
  run_gnuplot(whole + ".gp", png.string());
}

}  // namespace assay::report
