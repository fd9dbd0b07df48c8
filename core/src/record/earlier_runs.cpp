#include "record/earlier_runs.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "record/layout.h"

namespace assay::record {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kMax = 1000, kNearest = 5;

// Finished trainings, newest first.
std::vector<fs::path> records_in(const fs::path& root) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored;
  for (const auto& experiment : fs::directory_iterator(root, ignored))
    for (const auto& run : fs::directory_iterator(experiment.path() / "runs", ignored)) {
      const auto file = RunLayout(run.path()).train_record();
      if (const auto time = fs::last_write_time(file, ignored); !ignored) found.emplace_back(time, file);
    }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > kMax) found.resize(kMax);
  std::vector<fs::path> files;
  for (auto& [time, file] : found) files.push_back(std::move(file));
  return files;
}

}  // namespace

std::vector<EarlierRun> earlier_runs(const fs::path& results_root, const std::string& host) {
  std::vector<EarlierRun> runs;
  for (const auto& file : records_in(results_root)) {
    const auto record = json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) continue;
    const auto measured = record.value("measured", json::object());
    const auto number = [](const json& object, const char* key) {
      return object.is_object() && object.contains(key) && object[key].is_number() ? object[key].get<double>() : 0;
    };
    const EarlierRun run{record.value("group", ""), number(record.value("flops", json()), "exact"),
                         number(measured, "seconds")};
    if (measured.value("host", "") == host && run.flops > 0 && run.seconds > 0) runs.push_back(run);
  }
  return runs;
}

std::optional<double> estimated_seconds(const std::string& group, double flops,
                                        const std::vector<EarlierRun>& earlier) {
  double sum = 0, count = 0;
  for (const auto& run : earlier)
    if (run.group == group) {
      sum += run.seconds;
      ++count;
    }
  if (count > 0) return sum / count;
  if (earlier.empty() || flops <= 0) return std::nullopt;
  auto nearest = earlier;
  const auto distance = [&](const EarlierRun& run) { return std::abs(std::log(run.flops / flops)); };
  std::stable_sort(nearest.begin(), nearest.end(),
                   [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  nearest.resize(std::min(nearest.size(), kNearest));
  std::vector<double> seconds_per_flop;
  for (const auto& run : nearest) seconds_per_flop.push_back(run.seconds / run.flops);
  std::sort(seconds_per_flop.begin(), seconds_per_flop.end());
  return flops * seconds_per_flop[seconds_per_flop.size() / 2];
}

}  // namespace assay::record
