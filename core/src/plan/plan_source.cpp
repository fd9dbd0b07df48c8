#include "plan/plan_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/sha256.h"
#include "record/provenance.h"
#include "worker/client.h"

namespace assay::plan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string absolute_path(const std::string& path) { return fs::weakly_canonical(fs::absolute(path)).string(); }

std::string absolute_folders(const std::string& plugin_path) {
  std::string all;
  for (size_t begin = 0; begin < plugin_path.size();) {
    const auto end = std::min(plugin_path.find(':', begin), plugin_path.size());
    if (end > begin) all += (all.empty() ? "" : ":") + absolute_path(plugin_path.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

void add_stamp(const fs::path& file, std::string& text) {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  const auto time = fs::last_write_time(file, failed).time_since_epoch().count();
  text += fmt::format("{} {}\n", file.string(), failed ? "absent" : fmt::format("{} {}", size, time));
}

std::string stamp_of(const std::vector<std::string>& files, const std::string& plugin_path) {
  const char* data = std::getenv("ASSAY_DATA");
  std::string text = fmt::format("data {}\n", data ? data : "");
  for (const auto& file : files) {
    std::error_code failed;
    if (!fs::is_directory(file, failed)) {
      add_stamp(file, text);
      continue;
    }
    std::vector<fs::path> inside;
    for (fs::recursive_directory_iterator entry(file, failed), end; !failed && entry != end; entry.increment(failed))
      if (std::error_code unknown; !entry->is_directory(unknown)) inside.push_back(entry->path());
    if (failed) text += fmt::format("{} {}\n", file, failed.message());
    std::sort(inside.begin(), inside.end());
    for (const auto& one : inside) add_stamp(one, text);
  }
  for (const auto& file : worker::files_to_describe(plugin_path)) add_stamp(file, text);
  return base::sha256(text);
}

}  // namespace

void write_plan_source(const Plan& plan, const record::ExperimentLayout& experiment) {
  const auto& request = plan.request;
  std::vector<std::string> files;
  if (plan.inputs.empty())  // the plan of an input depends on more files than these
    for (const auto& file : plan.files) files.push_back(absolute_path(file));
  const json document{{"file", absolute_path(request.file)},
                      {"sets", request.sets},
                      {"folder", absolute_path(request.folder.empty() ? "." : request.folder)},
                      {"plugin_path", absolute_folders(request.plugin_path)},
                      {"made", record::iso_time()},
                      {"plan", base::sha256_of_file(experiment.plan())},
                      {"files", files},
                      {"stamp", stamp_of(files, request.plugin_path)}};
  base::write_atomically(experiment.source(), document.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

std::optional<PlanSource> read_plan_source(const record::ExperimentLayout& experiment) {
  if (!fs::exists(experiment.source())) return std::nullopt;
  try {
    const auto document = json::parse(base::read_file(experiment.source()));
    PlanSource source;
    source.request.file = document.at("file");
    source.request.sets = document.at("sets").get<std::vector<std::string>>();
    source.request.folder = document.at("folder");
    source.request.plugin_path = document.at("plugin_path");
    source.made = document.at("made");
    source.plan = document.at("plan");
    source.files = document.at("files").get<std::vector<std::string>>();
    source.stamp = document.at("stamp");
    if (source.plan != base::sha256_of_file(experiment.plan())) return std::nullopt;
    return source;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

bool is_untouched(const PlanSource& source) {
  return !source.files.empty() && source.stamp == stamp_of(source.files, source.request.plugin_path);
}

}  // namespace assay::plan
