// Adding a verb: its file, its declaration in cli.h, and one line here.
#include "cli/shared/cli.h"

namespace assay::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"plan", plan, "X.toml [key=value]...", "resolve and check every run of an experiment, and list them"},
      {"schedule", schedule, "X.toml [key=value]...",
       "the learning rate of every run over its steps, as a picture or csv"},
      {"run", run, "X.toml [key=value]...", "plan, then do what has no record yet"},
      {"status", status, "[X]", "what is done, running, failed (and why), stopped and queued"},
      {"ls", ls, "", "the experiments that have results"},
      {"logs", logs, "RUN [-f]", "what a run's worker wrote; -f: and writes, until it ends"},
      {"stop", stop, "X", "asks what runs of an experiment to stop in good order; twice: now"},
      {"gc", gc, "X [--yes]", "lists, or removes, what of an experiment's results nobody needs"},
      {"compare", compare, "X [Y...]", "the table of experiments' records, by their files or names"},
      {"claims", claims, "X", "the verdict on every [[claim]] of an experiment"},
      {"gate", gate, "X --baseline FILE", "has a row become worse than the kept values, beyond chance and tolerance?"},
      {"diff", diff, "A B", "what differs between two runs: configuration, code, environment, data, metrics"},
      {"report", report, "X", "one HTML file of an experiment: table, curves, configurations, failures; opens offline"},
      {"figure", figure, "X",
       "the [[figure]]s of an experiment: SVG, PDF, CSV, and the gnuplot script that redraws each"},
      {"recheck", recheck, "X.toml [key=value]...",
       "do records of older code stand? replays the first steps of each group"},
      {"generate", generate, "RUN [key=value]...", "text from a run's weights; key=value are the decoder's parameters"},
      {"new", new_plugin_folder, "KIND NAME", "a plugin's folder that builds, passes its test and runs"},
      {"check", check, "FILE.so|X.toml [key=value]...",
       "does a plugin keep what its kinds promise? key=value where one is required; of a file: is its plan right?"},
      {"export", export_results, "X|RUN --to NAME [--out FOLDER] [key=value]...",
       "an experiment's numbers as csv or for a tracker, a run's weights in the form of another library"},
      {"import", import_weights, "FOLDER --from NAME --out FOLDER [key=value]...",
       "weights of another library in assay's form"},
      {"verify-mesh", verify_mesh, "X.toml [key=value]...", "how far an experiment on several meshes is from one rank"},
      {"plugins", plugins, "", "list the plugins and their components"},
      {"slurm-task", slurm_task, "FOLDER [WRAP...]",
       "what a job array starts on a node; 'run --launcher slurm' asks for it"},
      {"describe", describe, "NAME", "a component's parameters: type, default, range, meaning; --schema for editors"},
  };
  return table;
}

}  // namespace assay::cli
