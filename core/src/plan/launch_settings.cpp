#include "plan/launch_settings.h"

#include <fmt/format.h>

#include <optional>

#include "base/files.h"
#include "base/number.h"
#include "document/parse.h"
#include "schema/resolve.h"

namespace assay::plan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kName = "assay.local.toml";

std::optional<fs::path> settings_above(fs::path folder) {
  std::error_code ignored;
  for (;; folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / kName, ignored)) return folder / kName;
    if (folder == folder.root_path()) return std::nullopt;
  }
}

schema::Parameter key(const char* name, const char* type, json by_default = nullptr) {
  schema::Parameter parameter;
  parameter.name = name;
  parameter.type = type;
  parameter.default_value = std::move(by_default);
  return parameter;
}

const std::vector<schema::Parameter>& slurm_keys() {
  static const auto* keys = [] {
    auto grace = key("grace", "int", 120);
    grace.min = 1;
    grace.max = 65535;  // the maximum of sbatch
    const auto none = json::array();
    return new std::vector<schema::Parameter>{key("partition", "string", ""),
                                              key("account", "string", ""),
                                              key("time", "string", ""),
                                              key("gres", "string", ""),
                                              grace,
                                              key("options", "strings", none),
                                              key("setup", "strings", none),
                                              key("wrap", "string", "")};
  }();
  return *keys;
}

// Parses numbers separated by one character; returns no value for other text.
std::optional<std::vector<long>> numbers(std::string_view text, char between) {
  std::vector<long> all;
  for (;;) {
    const auto word = text.substr(0, text.find(between));
    const auto number = base::parse_number<long>(word);
    if (!number || *number < 0) return std::nullopt;
    all.push_back(*number);
    if (word.size() == text.size()) return all;
    text.remove_prefix(word.size() + 1);
  }
}

// Slurm may signal a job up to a minute early, so a limit that does not exceed the sum of both would end each attempt
// at once.
void check_time(const json& slurm, const document::Position& position, document::Diagnostics& diagnostics) {
  constexpr long kEarly = 60;
  const std::string time = slurm.value("time", "");
  if (time.empty()) return;
  const long seconds = slurm_seconds(time), grace = slurm.value("grace", 0);
  if (seconds < 0)
    diagnostics.add(position, fmt::format("'time' is \"{}\", but must be minutes, hours:minutes:seconds, days-hours or "
                                          "days-hours:minutes:seconds, as for Slurm",
                                          time));
  else if (seconds > 0 && seconds <= grace + kEarly)
    diagnostics.add(position,
                    fmt::format("'time' is {} seconds, but a run is signalled to checkpoint {} seconds (grace) before "
                                "the limit or up to a minute earlier, so it would make no progress; increase 'time'",
                                seconds, grace));
}

}  // namespace

long slurm_seconds(const std::string& time) {
  constexpr long kMinute = 60, kHour = 3600, kDay = 86400;
  if (time == "infinite" || time == "unlimited") return 0;
  const auto dash = time.find('-');
  const auto parts = numbers(dash == std::string::npos ? time : time.substr(dash + 1), ':');
  if (!parts || parts->size() > 3) return -1;
  const auto part = [&](size_t i) { return i < parts->size() ? (*parts)[i] : 0; };
  if (dash == std::string::npos)
    return parts->size() == 3 ? part(0) * kHour + part(1) * kMinute + part(2) : part(0) * kMinute + part(1);
  const auto days = numbers(time.substr(0, dash), ':');
  if (!days || days->size() != 1) return -1;
  return days->front() * kDay + part(0) * kHour + part(1) * kMinute + part(2);
}

SlurmSettings read_slurm_settings(const fs::path& experiment_file) {
  auto file = settings_above(fs::absolute(experiment_file).lexically_normal().parent_path());
  if (!file) file = settings_above(fs::current_path());
  if (!file) return {};
  // The file name relative to the current folder, for messages.
  const auto near = file->lexically_proximate(fs::current_path()).string();
  const auto shown = near.starts_with("..") ? file->string() : near;
  document::Diagnostics diagnostics;
  const schema::Catalogue no_plugins;
  schema::PathFinder no_paths;
  schema::Resolver resolver(no_plugins, no_paths, diagnostics);
  auto slurm = json::object();
  if (const auto root = document::parse_toml(base::read_file(*file), shown, diagnostics)) {
    resolver.section(*root, {key("launch", "table")}, kName);
    const document::Node* launch = root->as<document::Table>()->find("launch");
    if (launch && launch->is_table()) {
      resolver.section(*launch, {key("slurm", "table")}, "[launch]");
      const document::Node* node = launch->as<document::Table>()->find("slurm");
      if (node && node->is_table()) {
        slurm = resolver.section(*node, slurm_keys(), "[launch.slurm]");
        const auto* time = node->as<document::Table>()->find("time");
        if (time && diagnostics.empty()) check_time(slurm, time->position, diagnostics);
      }
    }
  }
  diagnostics.throw_if_any();
  SlurmSettings settings;
  if (slurm.empty()) return settings;
  settings.partition = slurm.at("partition");
  settings.account = slurm.at("account");
  settings.time = slurm.at("time");
  settings.gres = slurm.at("gres");
  settings.grace = slurm.at("grace");
  settings.options = slurm.at("options").get<std::vector<std::string>>();
  settings.setup = slurm.at("setup").get<std::vector<std::string>>();
  settings.wrap = slurm.at("wrap");
  return settings;
}

}  // namespace assay::plan
