// assay verify-mesh: its output, its files and its errors.
#include <gmock/gmock.h>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class VerifyMesh : public testing::Programs {};

TEST_F(VerifyMesh, ReportsTheDifferencesOfMeshes) {
  write_experiment("[resources]\ndevice = \"auto\"\n");
  const std::string words = "verify-mesh experiments/tiny.toml model.dropout=0.1 --meshes 2x1,2x1s,1x2,3x1 --steps 2 ";
  ASSERT_EQ(call(words + "--format json"), 0) << err_;
  const auto answer = json::parse(out_);
  ASSERT_EQ(answer.size(), 2 * (3 * 2 + 1u));  // per precision: two steps of each of three meshes, and one refusal
  for (const auto& one : answer) {
    const double tolerance = one["precision"] == "fp64" ? 1e-11 : 1e-5;
    if (one.contains("refused")) {
      EXPECT_EQ(one["mesh"]["tensor"], 3);
      EXPECT_THAT(one["refused"].get<std::string>(), HasSubstr("tensor = 3"));
      continue;
    }
    EXPECT_LE(one["loss"], tolerance);
    EXPECT_LE(one["gradients"], tolerance) << one;
    EXPECT_GT(one["gradients"], 0) << one;
    EXPECT_LE(one["weights"], one["precision"] == "fp64" ? 1e-9 : 1e-1) << one;
  }
  ASSERT_EQ(call(words + "--reference"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("precision"), HasSubstr("2x1s")));
  const auto table = base::read_file(experiment().reference() / "table.md");
  EXPECT_THAT(table, AllOf(HasSubstr("| fp32 | 1x2 | 2 |"), HasSubstr("command: `assay verify-mesh "),
                           HasSubstr("device: cpu")));
  EXPECT_EQ(call(words + "--reference"), 0) << err_;  // it may overwrite its own table
  base::write_atomically(experiment().reference() / "table.md", "a comparison\n");
  EXPECT_EQ(call(words + "--reference"), 2);
  EXPECT_THAT(err_, HasSubstr("the file is the table of another command"));
}

TEST_F(VerifyMesh, RefusesWhatItCannotDo) {
  write_experiment();
  const std::pair<const char*, const char*> bad[] = {
      {"--meshes 2y1", "'2y1' is not a valid mesh"},
      {"--meshes 2x", "'2x' is not a valid mesh"},
      {"--meshes 0x1", "'0x1' is not a valid mesh"},
      {"--meshes 1x3", "train.batch = 4 is not divisible by data = 3"},
      {"--precisions fp16", "--precisions: 'fp16' is not a valid precision"},
      {"--steps 7", "--steps must be from 1 to train.steps, which is 6"},
      {"--backend mpi", "--backend: 'mpi' is not a valid backend; give threads or nccl"},
      {"--format html", "--format: 'html' is not a valid format"}};
  for (const auto& [words, message] : bad) {
    EXPECT_EQ(call(std::string("verify-mesh experiments/tiny.toml ") + words), 2) << words;
    EXPECT_THAT(err_, HasSubstr(message)) << words;
  }
}

}  // namespace
}  // namespace assay
