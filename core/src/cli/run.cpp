// assay run X.toml: plans an experiment, then trains and evaluates every run without a complete record.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <set>

#include "assay/error.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/inputs_first.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_in_force.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/run_choice.h"
#include "cli/shared/scratch.h"
#include "cli/shared/until_decided.h"
#include "compare/results/origin.h"
#include "launch/slurm.h"
#include "launch/sweep.h"
#include "plan/plan.h"
#include "plan/smoke.h"
#include "record/plan_line/plan_lines.h"
#include "record/staleness.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

po::options_description run_options(launch::SweepOptions& sweep) {
  auto options = plan_options();
  auto add = options.add_options();
  add("jobs", po::value(&sweep.jobs)->value_name("N"),
      "run at most N at once, which share the cores if there are too few for all; "
      "default: as many as get cores of their own");
  add("only", po::value<std::string>()->value_name("SEL"),
      "run only these runs of the plan: \"positional=alibi,t5 optimizer.lr<1e-2 seed=1\", or the beginning of an id");
  add("retries", po::value(&sweep.retries)->value_name("K"),
      "retry runs that were killed, lost or timed out, at most K times per run");
  add("timeout", po::value<std::string>()->value_name("TIME"),
      "time limit per attempt (90s, 15m, 2h); "
      "an attempt that exceeds it fails: it is signalled to checkpoint and exit, "
      "and killed after another quarter of the limit (at least 5s, at most 60s)");
  add("exclusive", po::bool_switch(&sweep.exclusive), "for timing: run one at a time, with all cores and GPUs");
  add("fail-fast", po::bool_switch(&sweep.fail_fast), "stop at the first failure");
  add("smoke", "run one seed of every group for 20 steps, with results in .smoke, which is emptied first");
  add("launcher", po::value<std::string>()->default_value("local")->value_name("NAME"),
      "local, or slurm, which submits job arrays by [launch.slurm] of assay.local.toml and returns");
  add("until-decided", po::value<size_t>()->value_name("SEEDS"),
      "add seeds until every claim is decided, at most SEEDS in all; "
      "interim analyses judge the claims in between, with alpha spending");
  add("with-inputs", "first run the unfinished runs that these runs take as inputs");
  add("dry-run", po::bool_switch(&sweep.dry_run), "print what would run; write nothing");
  return options;
}

void check(const Arguments& arguments, const Parsed& parsed, launch::SweepOptions& sweep) {
  if (parsed.options.count("jobs") && sweep.jobs < 1) throw UserError("assay run: --jobs must be at least 1");
  if (sweep.exclusive && sweep.jobs > 1) throw UserError("assay run: --exclusive runs one at a time; leave --jobs out");
  if (sweep.retries < 0) throw UserError("assay run: --retries must be at least 0");
  if (parsed.options.count("timeout"))
    sweep.timeout = timeout_of(arguments, parsed.options["timeout"].as<std::string>());
}

// Options that need a controller that stays are errors on Slurm.
bool slurm_requested(const Parsed& parsed) {
  const auto launcher = parsed.options["launcher"].as<std::string>();
  if (launcher == "local") return false;
  if (launcher != "slurm")
    throw UserError("assay run: --launcher: '" + launcher + "' is not a valid launcher; give local or slurm");
  for (const char* name : {"retries", "timeout", "exclusive", "fail-fast", "smoke", "until-decided", "with-inputs"})
    if (parsed.options.count(name) && !parsed.options[name].defaulted())
      throw UserError(std::string("assay run: --") + name + " requires the local launcher");
  return true;
}

// A run with complete records is not run again; without this line its numbers would silently remain those of older
// code.
void report_stale_runs(const plan::Plan& plan, const std::vector<record::PlanLine>& lines, const std::string& file) {
  const record::ExperimentLayout experiment(plan.results_folder);
  size_t stale = 0, done = 0;
  std::set<std::string> code;
  for (const auto& line : lines) {
    const auto run = experiment.run(line.train_id);
    if (!record::has_all_records(line, run)) continue;
    ++done;
    const auto other = record::stale_code(line, run, plan.training_code);
    stale += !other.empty();
    if (!other.empty()) code.insert(other);
  }
  if (stale > 0)
    std::cerr << base::printable(fmt::format(
                     "{} of {} done runs are stale (other code: {}) and are not run again: "
                     "'assay recheck {}' replays their first steps; to run one again, remove its folder under {}",
                     stale, done, fmt::join(code, "; "), file, (plan.results_folder / "runs").string()))
              << "\n";
}

// Runs the inputs first, then puts the plan in force and gives the lines the state of the source tree. Returns an exit
// code.
int prepare(plan::Plan& plan, std::vector<record::PlanLine>& lines, const Parsed& parsed,
            const plan::PlanRequest& request, launch::SweepOptions& sweep) {
  for (const auto& warning : plan::warnings_of(plan)) std::cerr << base::printable(warning) << "\n";
  note_other_plans_of_inputs(plan);
  sweep.experiment = plan.results_folder;
  report_stale_runs(plan, lines, request.file);
  if (const int code = run_inputs_first(lines, parsed.options.count("with-inputs") > 0, request, sweep); code != kDone)
    return code;
  if (sweep.dry_run) return kDone;
  note_replaced_plan(plan);
  put_in_force(plan);
  for (auto& line : lines) line.source = plan.lines.at(0).source;
  return kDone;
}

int until_decided(const Parsed& parsed, const plan::PlanRequest& request, launch::SweepOptions& sweep,
                  const Arguments& arguments) {
  for (const char* name : {"only", "smoke"})
    if (parsed.options.count(name))
      throw UserError(std::string("assay run: --until-decided needs the results of the whole plan; leave --") + name +
                      " out");
  if (sweep.dry_run) throw UserError("assay run: --until-decided depends on results; leave --dry-run out");
  return run_until_decided(request, parsed.options["until-decided"].as<size_t>(), arguments, [&](plan::Plan& plan) {
    auto lines = plan.lines;
    sweep.share_trunks = plan.share_trunks;
    const int code = prepare(plan, lines, parsed, request, sweep);
    return code != kDone ? code : launch::run_sweep(lines, sweep, std::cerr, launch::style_of_stderr());
  });
}

}  // namespace

int run(const Arguments& arguments) {
  launch::SweepOptions sweep;
  const auto parsed = parse_options(arguments, run_options(sweep));
  if (!parsed) return kDone;
  check(arguments, *parsed, sweep);
  const bool on_slurm = slurm_requested(*parsed);
  const auto request = plan_request(arguments, *parsed);
  sweep.worker = worker::worker_program();
  if (parsed->options.count("until-decided")) try {
      return until_decided(*parsed, request, sweep, arguments);
    } catch (const compare::MixedCode& refusal) {
      std::cerr << "assay run: " << refusal.what() << "\n";
      return kProvenanceRefused;
    }
  const auto slurm = on_slurm ? plan::read_slurm_settings(request.file) : plan::SlurmSettings();
  auto plan = plan_of_study(request);
  const bool smoke = parsed->options.count("smoke") > 0;
  sweep.share_trunks = plan.share_trunks && !smoke;
  std::optional<base::FileLock> scratch;
  auto lines = plan.lines;
  if (parsed->options.count("only"))
    lines = RunChoice(parsed->options["only"].as<std::string>(), "--only").among(lines);
  if (smoke) {
    plan.lines = lines;
    plan = plan::smoke_of(std::move(plan));
    lines = plan.lines;
    if (!sweep.dry_run) scratch.emplace(empty_scratch(plan.results_folder));
  }
  const bool whole = !smoke && !parsed->options.count("only");
  if (plan.prune && whole) sweep.pruning = launch::Pruning{*plan.prune, plan.compare.baseline};
  if (plan.prune && parsed->options.count("only"))
    std::cerr << "With --only no run is pruned, because pruning ranks all groups of the plan.\n";
  if (const int code = prepare(plan, lines, *parsed, request, sweep); code != kDone) return code;
  if (on_slurm) {
    if (plan.prune) std::cerr << "On Slurm no run is pruned, because no controller compares the groups at the rungs.\n";
    launch::submit_to_slurm(lines,
                            {std::filesystem::canonical("/proc/self/exe"), plan.results_folder, slurm, sweep.jobs,
                             plan.share_trunks, sweep.dry_run},
                            std::cerr);
    if (!sweep.dry_run) std::cerr << "To show their status: assay status " << request.file << "\n";
    return kDone;
  }
  const int code = launch::run_sweep(lines, sweep, std::cerr, launch::style_of_stderr());
  if (code == kDone && !sweep.dry_run && !smoke)
    std::cerr << "To show the table: assay compare " << request.file << "\n";
  return code;
}

}  // namespace assay::cli
