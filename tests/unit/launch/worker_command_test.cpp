// The command that starts a worker whose ranks are processes.
#include "launch/worker_command.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/plan_line.h"

namespace assay::launch {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::Pair;

std::map<std::string, std::string> environment_of(const std::string& backend) {
  const auto line = testing::plan_line({{"resources", {{"mesh", {{"data", 3}, {"backend", backend}}}}}});
  const Job job{.train_id = "t", .name = "t", .run = record::RunLayout("run")};
  return worker_command(job, line, {"worker", "results", "plan"}, 1, {}).environment;
}

// Open MPI 4.1 and 5 each use their own variable names and ignore the other's.
TEST(WorkerCommand, MoreRanksThanCoresStartUnboundUnderBothOpenMpis) {
  const auto environment = environment_of("mpi");
  EXPECT_THAT(environment, Contains(Pair("OMPI_MCA_rmaps_base_oversubscribe", "1")));
  EXPECT_THAT(environment, Contains(Pair("OMPI_MCA_hwloc_base_binding_policy", "none")));
  EXPECT_THAT(environment, Contains(Pair("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")));
  EXPECT_THAT(environment, Contains(Pair("PRTE_MCA_hwloc_default_binding_policy", "none")));
  EXPECT_THAT(environment_of("threads"), Not(Contains(Pair("PRTE_MCA_hwloc_default_binding_policy", "none"))));
}

}  // namespace
}  // namespace assay::launch
