// The command line: one table of verbs, one file per verb.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

struct Arguments {
  std::string verb;
  std::vector<std::string> words;  // the arguments after the verb
};

enum ExitCode { kDone = 0, kRunFailed = 1, kUsage = 2 };

struct Verb {
  const char* name;  // one word or two
  int (*function)(const Arguments&);
  const char* usage;  // the arguments after the name
  const char* help;   // one line
};

const std::vector<Verb>& verbs();  // the table, in verbs.cpp

// Finds the verb, runs it, and turns an exception into a message on standard error and an exit code.
int main(int argc, const char* const* argv);
int dispatch(const std::vector<std::string>& words);

int plan(const Arguments& arguments);
int schedule(const Arguments& arguments);
int scaling_fit(const Arguments& arguments);
int scaling_flops(const Arguments& arguments);
int scaling_plan(const Arguments& arguments);
int plugins(const Arguments& arguments);
int describe(const Arguments& arguments);
int run(const Arguments& arguments);
int slurm_task(const Arguments& arguments);
int recheck(const Arguments& arguments);
int status(const Arguments& arguments);
int ls(const Arguments& arguments);
int logs(const Arguments& arguments);
int stop(const Arguments& arguments);
int gc(const Arguments& arguments);
int compare(const Arguments& arguments);
int claims(const Arguments& arguments);
int gate(const Arguments& arguments);
int diff(const Arguments& arguments);
int report(const Arguments& arguments);
int figure(const Arguments& arguments);
int generate(const Arguments& arguments);
int check(const Arguments& arguments);
int verify_mesh(const Arguments& arguments);
int export_results(const Arguments& arguments);
int import_weights(const Arguments& arguments);
int new_plugin_folder(const Arguments& arguments);

}  // namespace assay::cli
