// Opens a dataset and reads its documents, for scripts/bench: dataset_probe NAME PARAMETERS.json, where the parameters
// are those of a plan. Prints JSON: CPU seconds and peak memory in bytes of opening it, CPU seconds of reading every
// document, and their number.
#include <sys/resource.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/dataset.h"
#include "harness.h"

namespace {

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream file(argv[2]);
  const auto parameters = nlohmann::json::parse(file);
  const auto& registry = assay::testing::registry();  // loading plugins is not part of reading
  registry.find("dataset", argv[1]);
  const double begin = cpu_seconds();
  const auto dataset = assay::testing::make<assay::Dataset>(argv[1], parameters);
  const double opened = cpu_seconds();
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  int64_t documents = 0, bytes = 0;
  for (const auto split : {assay::Split::kTrain, assay::Split::kValidation, assay::Split::kTest})
    for (int64_t i = 0; i < dataset->size(split); ++i, ++documents)
      bytes += static_cast<int64_t>(dataset->document(split, i).text.size());
  std::cout << nlohmann::json{{"open", opened - begin},
                              {"read", cpu_seconds() - opened},
                              {"peak", used.ru_maxrss * 1024},
                              {"documents", documents},
                              {"bytes", bytes}}
            << "\n";
  return 0;
}
