// A tiny run in fp64 with the component under test and stand-ins for all others.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "check/subject.h"
#include "data/training_data.h"
#include "record/plan_line/plan_line.h"
#include "run/assemble.h"
#include "run/checkpoint/sharded.h"

namespace assay::check {

// A temporary folder; the destructor removes it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The example documents of a transform in turn, in every split.
class ExampleDocuments final : public Dataset {
 public:
  explicit ExampleDocuments(std::vector<Document> examples) : examples_(std::move(examples)) {}
  int64_t size(Split split) const override { return split == Split::kTrain ? 40 : 4; }
  Document document(Split split, int64_t index) const override;
  std::vector<Source> sources() const override { return {{"examples", "", ""}}; }

 private:
  std::vector<Document> examples_;
};

class TinyRun {
 public:
  static constexpr int64_t kContext = 12, kBatch = 6, kSteps = 6;
  static constexpr int64_t kExampleContext = 96;  // for rows of example documents

  explicit TinyRun(const Subject& subject);

  void mesh(int tensor, int data, bool sequence_parallel = false) {
    line.resources.mesh.tensor = tensor;
    line.resources.mesh.data = data;
    line.resources.mesh.sequence_parallel = sequence_parallel;
  }
  void micro_batch(int64_t rows) { line.resources.micro_batch = rows; }

  // Assembles and builds the run on every rank and calls body there.
  void on_ranks(const std::function<void(run::Assembled&, const Mesh&, data::TrainingData&)>& body) const;

  record::PlanLine line;
  std::vector<Document> examples;  // of a transform that needs certain fields, in place of the stand-in's documents

 private:
  const loader::Registry& registry_;
  TemporaryFolder folder_;
};

// Assembles the run on one rank and calls body with the rows of the first step.
std::string on_one_rank(const Subject& subject, const std::function<std::string(run::Assembled&, const Batch&)>& body);

// Computes the gradients of one step in grad() from this replica's rows; returns the loss over all replicas.
double gradients(run::Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t step);
// Runs the updates begin .. end - 1.
void train(run::Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t begin, int64_t end);

// Returns "" when all tensors agree within the tolerance (0: bit-identical), else the first that differs.
std::string difference(const std::vector<run::NamedTensor>& found, const std::vector<run::NamedTensor>& expected,
                       double tolerance);

}  // namespace assay::check
