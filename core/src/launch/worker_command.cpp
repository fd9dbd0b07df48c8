#include "launch/worker_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "launch/load.h"

namespace assay::launch {
namespace {

// Two runs are byte-equal only with equal thread counts, so these are set before exec and never left to defaults.
// Binding is off because every worker would bind to the same first cores.
std::map<std::string, std::string> worker_environment(const Job& job, size_t concurrent,
                                                      const std::vector<std::string>& gpus) {
  const auto threads = std::to_string(job.threads);
  std::map<std::string, std::string> environment{
      {"OMP_NUM_THREADS", threads}, {"MKL_NUM_THREADS", threads}, {"OMP_DYNAMIC", "FALSE"},
      {"MKL_DYNAMIC", "FALSE"},     {"OMP_PROC_BIND", "FALSE"},   {"ASSAY_JOBS", std::to_string(concurrent)}};
  if (const auto spins = spin_count_now(job.threads, job.cores)) environment["GOMP_SPINCOUNT"] = *spins;
  if (!gpus.empty()) environment["CUDA_VISIBLE_DEVICES"] = fmt::format("{}", fmt::join(gpus, ","));
  return environment;
}

// Of a run whose ranks are processes: what starts them, on the hosts that the user's own arguments name.
std::vector<std::string> mpirun(const record::MeshConfig& mesh, const std::map<std::string, std::string>& environment) {
  std::vector<std::string> command{"mpirun", "-n", std::to_string(mesh.ranks())};
  for (const auto& [name, value] : environment) {
    command.emplace_back("-x");
    command.push_back(name);
  }
  if (mesh.mpirun) command.insert(command.end(), mesh.mpirun->begin(), mesh.mpirun->end());
  return command;
}

}  // namespace

WorkerCommand worker_command(const Job& job, const record::PlanLine& plan_line, const WorkerFiles& files,
                             size_t concurrent, const std::vector<std::string>& gpus) {
  WorkerCommand command{{files.worker.string(), "run", "--plan", files.plan.string(), "--run", job.train_id,
                         "--results", files.experiment.string()},
                        worker_environment(job, concurrent, gpus)};
  if (job.until > 0) command.words.insert(command.words.end(), {"--until", std::to_string(job.until)});
  if (!job.branches.empty()) command.words.insert(command.words.end(), {"--branches", record::text_of(job.branches)});
  if (!plan_line.resources.mesh.has_processes()) return command;
  const auto start = mpirun(plan_line.resources.mesh, command.environment);
  command.words.insert(command.words.begin(), start.begin(), start.end());
  command.words.insert(command.words.end(), {"--ranks", "processes"});
  // These are set in the environment so that a user's own arguments for mpirun take precedence: more ranks than cores,
  // and none bound to one core. The first two names are those of Open MPI 4, the others those of PRRTE, which starts
  // the processes of Open MPI 5; each version ignores the other's.
  command.environment.emplace("OMPI_MCA_rmaps_base_oversubscribe", "1");
  command.environment.emplace("OMPI_MCA_hwloc_base_binding_policy", "none");
  command.environment.emplace("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe");
  command.environment.emplace("PRTE_MCA_hwloc_default_binding_policy", "none");
  // Open MPI requires two confirmations from root; a sweep that runs as root, in a container, implies them.
  if (::geteuid() == 0)
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
      command.environment.emplace(name, "1");
  return command;
}

base::ExitStatus worker_exit_status(base::ExitStatus status, const record::PlanLine& plan_line) {
  constexpr int kKilled = 128, kMaxSignals = 64;
  if (!plan_line.resources.mesh.has_processes() || !status.code || *status.code <= kKilled ||
      *status.code > kKilled + kMaxSignals)
    return status;
  return {std::nullopt, *status.code - kKilled};
}

}  // namespace assay::launch
