// assay slurm-task FOLDER [WRAP...]: what the script of a job array starts on a node; no verb for people.
#include "launch/slurm_task.h"

#include <iostream>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "worker/client.h"

namespace assay::cli {

int slurm_task(const Arguments& arguments) {
  // WRAP is a command with options of its own, so nothing is read as ours.
  if (arguments.words.empty() || arguments.words[0].starts_with("-"))
    throw UserError("assay slurm-task: usage: FOLDER [WRAP...]; 'assay run --launcher slurm' makes Slurm start it");
  return assay::launch::slurm_task(worker::worker_program(), arguments.words[0],
                                   {arguments.words.begin() + 1, arguments.words.end()}, std::cout);
}

}  // namespace assay::cli
