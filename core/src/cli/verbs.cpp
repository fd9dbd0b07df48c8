// Adding a verb: its file, its declaration in cli.h, and one line here.
#include "cli/cli.h"

namespace assay::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"plan", plan, "X.toml [key=value]...", "resolve and check every run of an experiment, and list them"},
      {"run", run, "X.toml [key=value]...", "plan, then do what has no record yet"},
      {"status", status, "[X]", "what is done, running, failed (and why) and queued"},
      {"compare", compare, "X", "the table of an experiment's records, by its file or its name"},
      {"generate", generate, "RUN [key=value]...", "text from a run's weights; key=value are the decoder's parameters"},
      {"new", new_plugin_folder, "KIND NAME", "a plugin's folder that builds, passes its test and runs"},
      {"check", check, "FILE.so [key=value]...",
       "does a plugin keep what its kinds promise? key=value where one is required"},
      {"export", export_weights, "RUN --to NAME --out FOLDER [key=value]...",
       "a run's weights in the form of another library"},
      {"import", import_weights, "FOLDER --from NAME --out FOLDER [key=value]...",
       "weights of another library in assay's form"},
      {"verify-mesh", verify_mesh, "X.toml [key=value]...", "how far an experiment on several meshes is from one rank"},
      {"plugins", plugins, "", "list the plugins and their components"},
      {"describe", describe, "NAME", "a component's parameters: type, default, range, meaning; --schema for editors"},
  };
  return table;
}

}  // namespace assay::cli
