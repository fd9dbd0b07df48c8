// assay report X: writes the page of an experiment; with --watch again whenever the experiment's files change.
#include "report/report.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "compare/results/origin.h"
#include "launch/signals.h"
#include "report/page.h"
#include "report/watch.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

constexpr int kReloadSeconds = 5;
constexpr std::chrono::milliseconds kLook{1000};
constexpr int kMaxShareOfTime = 4;  // writing takes at most a quarter of a core

class Report {
 public:
  Report(NamedExperiment experiment, std::filesystem::path out, std::vector<std::string> metrics, bool mixed_code,
         const Arguments& arguments)
      : experiment_(std::move(experiment)),
        out_(std::move(out)),
        metrics_(std::move(metrics)),
        mixed_code_(mixed_code),
        arguments_(arguments) {}

  void write(int reload_seconds) {
    const auto settings = compare_settings_of(experiment_);
    const auto table = compare::collect(compare_request(experiment_, settings, metrics_, mixed_code_, arguments_));
    const auto judgement =
        settings.claims.empty() ? compare::Judgement() : judge_claims(experiment_, settings, mixed_code_, arguments_);
    base::write_atomically(
        out_, report::page_with(report::report_data(table, judgement, experiment_.layout, logs_), reload_seconds));
  }

  // Writes the page until no run remains or a signal arrives, which it returns.
  int watch() {
    launch::SignalQueue signals;
    std::string shown;
    auto rest = kLook;
    int signal = 0;
    while (signal == 0 && report::sweep_is_running(experiment_.layout)) {
      if (auto now = report::state_of_files(experiment_.layout); now != shown) {
        const auto begin = Clock::now();
        try {
          write(kReloadSeconds);
        } catch (const UserError& error) {  // such as a metric of an evaluation that no run has reached
          std::cerr << "assay report: " << error.what() << "; the page is written when the files change again\n";
        }
        rest = std::max(kLook, std::chrono::duration_cast<std::chrono::milliseconds>((kMaxShareOfTime - 1) *
                                                                                     (Clock::now() - begin)));
        shown = std::move(now);
      }
      signal = signals.wait(rest);
    }
    write(0);
    return signal;
  }

 private:
  NamedExperiment experiment_;
  std::filesystem::path out_;
  std::vector<std::string> metrics_;
  bool mixed_code_;
  Arguments arguments_;
  report::RunLogs logs_;
};

}  // namespace

int report(const Arguments& arguments) {
  std::string out;
  std::vector<std::string> metrics;
  bool mixed_code = false, watch = false;
  po::options_description options;
  options.add_options()("out", po::value(&out)->value_name("FILE"),
                        "file to write; default: report.html beside the plan")(
      "metric", po::value(&metrics)->value_name("M")->multitoken(), "metrics to show, as for assay compare")(
      "mixed-code", po::bool_switch(&mixed_code), "allow records of different code")(
      "watch", po::bool_switch(&watch),
      "write the page again whenever the files change, until no run remains; the page then reloads itself");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay report takes one experiment, a TOML file or a name; see assay report --help");
  const auto experiment = find_experiment(parsed->words[0]);
  note_other_plan(experiment);
  const auto file = out.empty() ? experiment.layout.report() : std::filesystem::path(out);
  Report report(experiment, file, metrics, mixed_code, arguments);
  try {
    int signal = 0;
    if (watch) {
      std::cerr << "writing " << file.string() << " whenever the files change; Ctrl-C ends it\n";
      signal = report.watch();
    } else {
      report.write(0);
    }
    std::cerr << "wrote " << base::printable(file.string()) << "\n";
    return signal == 0 ? kDone : 128 + signal;
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay report: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
}

}  // namespace assay::cli
