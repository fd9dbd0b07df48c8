#include <signal.h>

#include "cli/shared/cli.h"

int main(int argc, char** argv) {
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is reported as an error, like a full disk
  return assay::cli::main(argc, argv);
}
