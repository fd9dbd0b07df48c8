#include "launch/slurm_client.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <sstream>

#include "assay/error.h"
#include "base/process.h"

namespace assay::launch::slurm {
namespace {

std::string run_command(const std::vector<std::string>& command) {
  std::string errors;
  auto answer = base::capture_output(command, &errors);
  while (!errors.empty() && errors.back() == '\n') errors.pop_back();
  if (!answer)
    throw UserError(fmt::format("{} failed: {}", command[0], errors.empty() ? "it printed no message" : errors));
  return *std::move(answer);
}

std::vector<std::string> words_of(const std::string& line, char between) {
  std::vector<std::string> words;
  std::istringstream text(line);
  for (std::string word; std::getline(text, word, between);) words.push_back(word);
  return words;
}

long number(std::string_view text) {
  long value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

long max_array_size() {
  const auto text = run_command({"scontrol", "show", "config"});
  const auto line = text.find("MaxArraySize");
  const auto value = line == std::string::npos ? line : text.find_first_of("0123456789", line);
  if (value == std::string::npos)
    throw UserError("scontrol show config: the output has no MaxArraySize; check that this is a Slurm cluster");
  return number(std::string_view(text).substr(value));
}

bool has_pmix() {
  std::string on_error;  // older versions of srun list them there
  const auto text = base::capture_output({"srun", "--mpi=list"}, &on_error).value_or("") + on_error;
  return text.find("pmix") != std::string::npos;
}

std::string submit(const std::vector<std::string>& options, const std::string& script) {
  std::vector<std::string> command{"sbatch", "--parsable"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(script);
  const auto answer = run_command(command);
  const auto id = answer.substr(0, answer.find_first_of(";\n"));  // id;cluster
  if (number(id) <= 0) throw UserError("sbatch: the output is not a job id: " + answer);
  return id;
}

std::vector<Task> parse_queue(const std::string& text) {
  std::vector<Task> tasks;
  for (const auto& line : words_of(text, '\n')) {
    const auto words = words_of(line, '|');
    if (words.size() < 4) continue;
    const auto is = [&](const char* state) { return words[3].starts_with(state); };
    tasks.push_back({words[0], words[1], number(words[2]), is("RUNNING") || is("COMPLETING") || is("STAGE_OUT")});
  }
  return tasks;
}

std::vector<Task> queue(const std::vector<std::string>& job_names) {
  if (job_names.empty()) return {};
  return parse_queue(run_command({"squeue", "--noheader", "--array", "--format=%j|%F|%K|%T",
                                  fmt::format("--name={}", fmt::join(job_names, ","))}));
}

void cancel(const std::vector<std::string>& jobs) {
  if (jobs.empty()) return;
  std::vector<std::string> command{"scancel"};
  command.insert(command.end(), jobs.begin(), jobs.end());
  run_command(command);
}

// squeue and scontrol both print COMPLETING while a task ends, for any reason. A task that is requeued, as after a
// preemption, then counts one restart more than it knows of.
bool was_cancelled(const std::string& job, long restarts) {
  const auto value = [&](const std::string& key) {
    const auto found = job.find(key + "=");
    if (found == std::string::npos) return std::string();
    const auto begin = found + key.size() + 1;
    return job.substr(begin, job.find_first_of(" \n", begin) - begin);
  };
  const auto state = value("JobState"), preempted = value("PreemptTime");
  return (state == "COMPLETING" || state == "CANCELLED") && number(value("Restarts")) == restarts &&
         (preempted.empty() || preempted == "None");
}

std::string show_job(const std::string& task) {
  return base::capture_output({"scontrol", "show", "job", task}).value_or("");
}

bool is_running(const std::string& task) {
  return run_command({"squeue", "--noheader", "--array", "--format=%T", "--jobs=" + task}).starts_with("RUNNING");
}

void requeue(const std::string& task) { run_command({"scontrol", "requeue", task}); }

}  // namespace assay::launch::slurm
