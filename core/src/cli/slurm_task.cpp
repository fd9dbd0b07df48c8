// assay slurm-task FOLDER [WRAP...]: runs one task of a job array on a node; the script of the array calls it.
#include "launch/slurm_task.h"

#include <iostream>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "worker/client.h"

namespace assay::cli {

int slurm_task(const Arguments& arguments) {
  // WRAP is a command with options of its own, so no argument is parsed as an option of assay.
  if (arguments.words.empty() || arguments.words[0].starts_with("-"))
    throw UserError(
        "assay slurm-task takes FOLDER [WRAP...]; the script that 'assay run --launcher slurm' submits calls it");
  return assay::launch::slurm_task(worker::worker_program(), arguments.words[0],
                                   {arguments.words.begin() + 1, arguments.words.end()}, std::cout);
}

}  // namespace assay::cli
