// To add a verb, add its file, its declaration in cli/shared/cli.h, and one line here.
#include "cli/shared/cli.h"

namespace assay::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"plan", plan, "X.toml [key=value]...", "resolve and validate every run of an experiment, and list the runs"},
      {"schedule", schedule, "X.toml [key=value]...",
       "plot the learning rate of every run over its steps, or print it as csv"},
      {"run", run, "X.toml [key=value]...", "plan, then train and evaluate every run without a complete record"},
      {"status", status, "[X]", "show which runs are done, running, failed (and why), stopped and queued"},
      {"ls", ls, "", "list the experiments that have results"},
      {"logs", logs, "RUN [-f]", "print the log of a run's worker; -f follows it until the run ends"},
      {"stop", stop, "X", "stop the runs of an experiment after a checkpoint; twice: at once"},
      {"gc", gc, "X [--yes]", "list, or remove, the unreferenced files of an experiment's results"},
      {"compare", compare, "X [Y...]", "print the table of experiments' records; X and Y are files or names"},
      {"claims", claims, "X", "judge every [[claim]] of an experiment"},
      {"gate", gate, "X --baseline FILE", "test whether a row is worse than a baseline, beyond chance and tolerance"},
      {"diff", diff, "A B", "show what differs between two runs: configuration, code, environment, data, metrics"},
      {"report", report, "X",
       "write one HTML file of an experiment, which opens offline: table, curves, configurations, failures"},
      {"figure", figure, "X", "draw the [[figure]]s of an experiment: SVG, PDF, CSV, and the gnuplot script of each"},
      {"scaling fit", scaling_fit, "X|--csv FILE [key=value]...",
       "fit scaling laws to the runs of an experiment with [scaling], or to a table; key=value: keys of [scaling]"},
      {"scaling plan", scaling_plan, "[X.toml] [key=value]...",
       "find the compute-optimal model for a budget, and list what an experiment's sizes and runs cost"},
      {"scaling flops", scaling_flops, "", "print the training FLOPs of a decoder term by term, beside 6ND"},
      {"recheck", recheck, "X.toml [key=value]...",
       "replay the first steps of stale runs; accept today's code where every number is equal"},
      {"generate", generate, "RUN [key=value]...",
       "generate text from a run's weights; key=value are the decoder's parameters"},
      {"new", new_plugin_folder, "KIND NAME", "make a plugin's folder that builds, passes its test and runs"},
      {"check", check, "FILE.so|X.toml [key=value]...",
       "test a plugin against the contracts of its kinds, or validate an experiment file; "
       "key=value: required parameters"},
      {"export", export_results, "X|RUN --to NAME [--out FOLDER] [key=value]...",
       "write an experiment's numbers as csv or for a tracker, or a run's weights in another library's format"},
      {"import", import_weights, "FOLDER --from NAME --out FOLDER [key=value]...",
       "convert weights of another library to assay's format"},
      {"verify-mesh", verify_mesh, "X.toml [key=value]...",
       "measure how far training on several meshes deviates from one rank"},
      {"plugins", plugins, "", "list the plugins and their components"},
      {"slurm-task", slurm_task, "FOLDER [WRAP...]",
       "run one task of a job array on a node; the script of 'run --launcher slurm' calls it"},
      {"describe", describe, "NAME",
       "show a component's parameters: type, default, range, meaning; --schema for editors"},
  };
  return table;
}

}  // namespace assay::cli
