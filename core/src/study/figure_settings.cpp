#include "study/figure_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "schema/section_keys.h"
#include "study/metric_check.h"

namespace assay::study {
namespace {

bool is_plain(char one) {
  return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') || one == '_';
}

// Keeps letters, digits and "_"; replaces other characters between them by one "-".
std::string file_name_of(const std::string& text) {
  std::string name;
  for (const char one : text)
    if (is_plain(one))
      name += one;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  return name.substr(0, name.find_last_not_of('-') + 1);
}

std::vector<std::string> read_series(const document::Node& node, document::Diagnostics& diagnostics) {
  std::vector<std::string> axes;
  const auto* list = node.as<document::Array>();
  for (const auto& item : list ? *list : document::Array{node}) {
    if (const auto* axis = item.as<std::string>())
      axes.push_back(document::short_name(document::canonical_path(document::split_key(*axis))));
    else
      diagnostics.add(item.position,
                      fmt::format("'series' must be an axis or a list of axes, but is {}", document::describe(item)));
  }
  return axes;
}

}  // namespace

std::vector<FigureSettings> read_figures(const document::Node& document, document::Diagnostics& diagnostics) {
  std::vector<FigureSettings> figures;
  const auto* node = document.as<document::Table>()->find("figure");
  const auto* list = node ? node->as<document::Array>() : nullptr;
  for (const auto& entry : list ? *list : document::Array{}) {
    schema::check_section_keys(entry, "figure", "[[figure]]", diagnostics);
    const auto* table = entry.as<document::Table>();
    const auto* x = table ? document::string_of(*table, "x") : nullptr;
    const auto* y = table ? document::string_of(*table, "y") : nullptr;
    if (!x || !y) continue;
    FigureSettings figure{.name = file_name_of(*y + " by " + *x),
                          .x = *x,
                          .y = *y,
                          .series = {},
                          .position = table->find("y")->position,
                          .series_position = {}};
    if (const auto* series = table->find("series")) {
      figure.series = read_series(*series, diagnostics);
      figure.series_position = series->position;
    }
    if (const auto* name = table->find("name"); name && name->as<std::string>()) {
      figure.name = *name->as<std::string>();
      if (figure.name != file_name_of(figure.name) || figure.name.empty())
        diagnostics.add(name->position,
                        fmt::format("'{}' is not a valid file name; use letters, digits and '_', with '-' between them",
                                    figure.name));
    }
    const auto same = [&](const FigureSettings& other) { return other.name == figure.name; };
    if (std::any_of(figures.begin(), figures.end(), same))
      diagnostics.add(entry.position,
                      fmt::format("two figures are named '{}'; give one of them another 'name'", figure.name));
    figures.push_back(std::move(figure));
  }
  return figures;
}

void check_figures(const std::vector<FigureSettings>& figures, const std::vector<record::PlanLine>& plan_lines,
                   const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics) {
  for (const auto& figure : figures) {
    check_metric({figure.y, figure.position}, plan_lines, diagnostics);
    check_axes(figure.series, "series", figure.series_position, plan_lines, narrowed, diagnostics);
  }
}

}  // namespace assay::study
