// assay run X.toml: plan, then do what has no record yet.
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
#include "record/plan_lines.h"
#include "record/staleness.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

po::options_description run_options(launch::SweepOptions& sweep) {
  auto options = plan_options();
  auto add = options.add_options();
  add("jobs", po::value(&sweep.jobs)->value_name("N"),
      "at most N runs at once, which share the cores that there are for the first; default: as many as get cores of "
      "their own");
  add("only", po::value<std::string>()->value_name("SEL"),
      "of the plan these runs alone: \"positional=alibi,t5 optimizer.lr<1e-2 seed=1\", or the beginning of an id");
  add("retries", po::value(&sweep.retries)->value_name("K"),
      "tries again what was killed, lost or too slow, at most K times a run");
  add("timeout", po::value<std::string>()->value_name("TIME"),
      "an attempt that takes longer (90s, 15m, 2h) has failed: it is asked to save and stop, and killed after a "
      "quarter "
      "of the time more (5s at least, 60s at most)");
  add("exclusive", po::bool_switch(&sweep.exclusive), "for timing: one run at a time, with all cores and GPUs");
  add("fail-fast", po::bool_switch(&sweep.fail_fast), "stop at the first failure");
  add("smoke", "does every group run? One seed, 20 steps, results in .smoke, which are made anew each time");
  add("launcher", po::value<std::string>()->default_value("local")->value_name("NAME"),
      "local, or slurm: job arrays, by [launch.slurm] of assay.local.toml; submits and returns");
  add("until-decided", po::value<size_t>()->value_name("SEEDS"),
      "adds seeds until every claim is decided, at most so many in all; looks at the claims in between, each look at "
      "its share of the 5%");
  add("with-inputs", "run what other runs start from or ask first, where it is not finished");
  add("dry-run", po::bool_switch(&sweep.dry_run), "say what would run, write nothing");
  return options;
}

void check(const Arguments& arguments, const Parsed& parsed, launch::SweepOptions& sweep) {
  if (parsed.options.count("jobs") && sweep.jobs < 1) throw UserError("assay run: --jobs is at least 1");
  if (sweep.exclusive && sweep.jobs > 1)
    throw UserError("assay run: --exclusive is one run at a time; leave --jobs out");
  if (sweep.retries < 0) throw UserError("assay run: --retries is at least 0");
  if (parsed.options.count("timeout"))
    sweep.timeout = timeout_of(arguments, parsed.options["timeout"].as<std::string>());
}

// What needs a controller that stays has no meaning there.
bool asks_for_slurm(const Parsed& parsed) {
  const auto launcher = parsed.options["launcher"].as<std::string>();
  if (launcher == "local") return false;
  if (launcher != "slurm") throw UserError("assay run: --launcher is local or slurm, not " + launcher);
  for (const char* name : {"retries", "timeout", "exclusive", "fail-fast", "smoke", "until-decided", "with-inputs"})
    if (parsed.options.count(name) && !parsed.options[name].defaulted())
      throw UserError(std::string("assay run: --") + name + " goes with the local launcher");
  return true;
}

// A run that has its records is not run again: without this line its numbers would silently stay those of older code.
void say_what_is_stale(const plan::Plan& plan, const std::vector<nlohmann::json>& lines, const std::string& file) {
  const record::ExperimentLayout experiment(plan.results_folder);
  size_t stale = 0, done = 0;
  std::set<std::string> code;
  for (const auto& line : lines) {
    const auto run = experiment.run(line.at("train_id"));
    if (!record::has_all_records(line, run)) continue;
    ++done;
    const auto other = record::stale_code(line, run, plan.training_code);
    stale += !other.empty();
    if (!other.empty()) code.insert(other);
  }
  if (stale > 0)
    std::cerr << base::printable(
                     fmt::format("{} of {} runs that are done are stale (other code: {}) and are not run again: "
                                 "'assay recheck {}' replays their first steps; a run whose folder under {} is "
                                 "removed is run again",
                                 stale, done, fmt::join(code, "; "), file, (plan.results_folder / "runs").string()))
              << "\n";
}

// Inputs first; then the plan is the one in force. Exit code; the lines to run get the source's state.
int prepare(plan::Plan& plan, std::vector<nlohmann::json>& lines, const Parsed& parsed,
            const plan::PlanRequest& request, launch::SweepOptions& sweep) {
  for (const auto& warning : plan::warnings_of(plan)) std::cerr << base::printable(warning) << "\n";
  note_other_plans_of_inputs(plan);
  sweep.experiment = plan.results_folder;
  say_what_is_stale(plan, lines, request.file);
  if (const int code = run_inputs_first(lines, parsed.options.count("with-inputs") > 0, request, sweep); code != kDone)
    return code;
  if (sweep.dry_run) return kDone;
  note_replaced_plan(plan);
  put_in_force(plan);
  for (auto& line : lines) line["source"] = plan.lines.at(0).at("source");
  return kDone;
}

int until_decided(const Parsed& parsed, const plan::PlanRequest& request, launch::SweepOptions& sweep,
                  const Arguments& arguments) {
  for (const char* name : {"only", "smoke"})
    if (parsed.options.count(name))
      throw UserError(std::string("assay run: --until-decided is about whole results; leave --") + name + " out");
  if (sweep.dry_run) throw UserError("assay run: what --until-decided does depends on results; leave --dry-run out");
  return run_until_decided(request, parsed.options["until-decided"].as<size_t>(), arguments, [&](plan::Plan& plan) {
    auto lines = plan.lines;
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
  const bool on_slurm = asks_for_slurm(*parsed);
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
    std::cerr << "With --only nothing is pruned: groups are ranked among all of the plan's.\n";
  if (const int code = prepare(plan, lines, *parsed, request, sweep); code != kDone) return code;
  if (on_slurm) {
    if (plan.prune) std::cerr << "On Slurm nothing is pruned: there is no controller that compares rungs.\n";
    launch::submit_to_slurm(
        lines, {std::filesystem::canonical("/proc/self/exe"), plan.results_folder, slurm, sweep.jobs, sweep.dry_run},
        std::cerr);
    if (!sweep.dry_run) std::cerr << "How they stand: assay status " << request.file << "\n";
    return kDone;
  }
  const int code = launch::run_sweep(lines, sweep, std::cerr, launch::style_of_stderr());
  if (code == kDone && !sweep.dry_run && !smoke) std::cerr << "The table: assay compare " << request.file << "\n";
  return code;
}

}  // namespace assay::cli
