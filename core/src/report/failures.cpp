#include "report/failures.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/process.h"
#include "record/run_status.h"
#include "record/state.h"

namespace assay::report {
namespace {

constexpr std::streamoff kMaxBytes = 16 << 10;

std::string ending_of(const record::State& state) {
  if (state.signal) return base::signal_name(*state.signal);
  return state.exit_code ? fmt::format("exit code {}", *state.exit_code) : "";
}

}  // namespace

std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t most_lines) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const auto size = static_cast<std::streamoff>(stream.tellg());
  stream.seekg(std::max<std::streamoff>(0, size - kMaxBytes));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (size > kMaxBytes && lines.size() > 1) lines.erase(lines.begin());  // the first line is incomplete
  if (lines.size() > most_lines) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most_lines));
  return lines;
}

std::vector<Failure> failures_of(const std::vector<record::PlanLine>& plan_lines,
                                 const record::ExperimentLayout& experiment, std::size_t most_lines) {
  std::vector<Failure> failures;
  for (const auto& line : plan_lines) {
    const auto run = experiment.run(line.train_id);
    if (record::run_status(line, run).status != record::RunStatus::kFailed) continue;
    const auto state = record::read_state(run.state()).value_or(record::State());
    failures.push_back({.label = line.label,
                        .train_id = line.train_id,
                        .seed = line.seed,
                        .failure_class = state.failure_class,
                        .reason = state.reason,
                        .ending = ending_of(state),
                        .last_lines = last_lines(run.log(), most_lines)});
  }
  return failures;
}

}  // namespace assay::report
