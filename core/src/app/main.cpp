#include <signal.h>

#include "cli/shared/cli.h"

int main(int argc, char** argv) {
  ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error to tell, as a full disk is
  return assay::cli::main(argc, argv);
}
