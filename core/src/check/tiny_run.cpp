#include "check/tiny_run.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <stdlib.h>

#include "assay/positional.h"
#include "check/stand_ins.h"
#include "mesh/backends.h"
#include "run/metrics.h"
#include "run/step.h"

namespace assay::check {
using nlohmann::json;

TemporaryFolder::TemporaryFolder() {
  auto name = (std::filesystem::temp_directory_path() / "assay_check_XXXXXX").string();
  if (!::mkdtemp(name.data())) throw UserError(name + ": the temporary folder cannot be created");
  path_ = name;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Document ExampleDocuments::document(Split split, int64_t index) const {
  auto document = examples_[static_cast<size_t>(index) % examples_.size()];
  document.id = std::string(name_of(split)) + std::to_string(index);
  return document;
}

TinyRun::TinyRun(const Subject& subject) : registry_(subject.registry) {
  const json other = {{"use", kStandIn}};
  const auto taken = [&](const char* kind) { return subject.kind == kind ? subject.given : other; };
  const auto labelled = [](const json& config) { return record::ListedComponent{config.at("use"), config}; };
  auto model = taken("model");
  if (subject.kind == "positional") model["positional"] = subject.given;
  if (subject.kind == "objective" && Instance<Objective>(subject)->needs().bidirectional) model["causal"] = false;
  int64_t context = kContext;
  if (subject.kind == "positional")
    context = std::min(context, Instance<Positional>(subject)->limit().value_or(context));
  if (subject.kind == "transform") examples = Instance<Transform>(subject)->examples();
  if (!examples.empty()) context = kExampleContext;
  line.experiment = line.label = line.train_id = line.group = line.data_id = "check";
  line.seed = 1;
  line.log_every = 1;
  line.resources.device = "cpu";
  line.resources.micro_batch = kBatch;
  line.train = {.data = {taken("dataset"), taken("tokenizer"), context},
                .model = model,
                .objectives = {{taken("objective").at("use"), 1, taken("objective")}},
                .transforms = {},
                .optimizer = taken("optimizer"),
                .scheduler = taken("scheduler"),
                .callbacks = {},
                .train = {.steps = kSteps, .batch = kBatch, .clip_norm = 0, .precision = "fp64"},
                .seeds = {.init = 3, .data = 5}};
  if (subject.kind == "scorer") line.train.objectives.push_back({kStandInClassifier, 1, {{"use", kStandInClassifier}}});
  if (subject.kind == "objective")
    if (const auto classes = Instance<Objective>(subject)->classes().size(); classes > 0) {
      auto rows = other;
      rows["classes"] = classes;
      line.train.transforms = {labelled(rows)};
    }
  if (subject.kind == "callback") line.train.callbacks = {labelled(subject.given)};
  if (subject.kind == "transform") line.train.transforms = {labelled(subject.given)};
  if (subject.kind == "evaluator") {
    SpecialTokens tokens;
    const Instance<Evaluator> evaluator(subject);
    for (const auto* component : evaluator.all()) {
      component->special_tokens(tokens);
      if (component->identity().kind == Transform::kKind)
        examples = static_cast<const Transform*>(component)->examples();
    }
    if (!tokens.names().empty()) {
      auto declares = other;
      declares["special_tokens"] = tokens.names();
      line.train.transforms.push_back(labelled(declares));
    }
    line.evaluate.push_back({"check", "check", 0, subject.given, "validation"});
  }
}

void TinyRun::on_ranks(const std::function<void(run::Assembled&, const Mesh&, data::TrainingData&)>& body) const {
  const auto& sizes = line.resources.mesh;
  mesh::run_ranks(sizes.tensor, sizes.data, [&](Mesh& mesh) {
    at::set_num_threads(1);  // for this rank's thread, as in a run
    run::Assembled run(registry_, line);
    ExampleDocuments documents(examples);
    if (!examples.empty()) run.dataset = &documents;
    run.build(mesh);
    const data::DataSpec spec{run.dataset, run.vocabulary.get(), run.transforms, run.context, run.data_seed,
                              "check",     folder_.path(),       run.unread()};
    data::TrainingData data(spec);
    body(run, mesh, data);
  });
}

std::string on_one_rank(const Subject& subject, const std::function<std::string(run::Assembled&, const Batch&)>& body) {
  std::string wrong;
  TinyRun(subject).on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData& text) {
    auto batch = text.rows(0, TinyRun::kBatch, 0);
    if (run.model->has_encoder()) batch.source_length = at::arange(TinyRun::kBatch, at::kLong).remainder(3) + 1;
    wrong = body(run, batch);
  });
  return wrong;
}

double gradients(run::Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t step) {
  run::Metrics metrics;
  return run::accumulate_gradients(run, mesh, step, run::micro_batches(run, mesh, data, step), metrics).value_or(0);
}

void train(run::Assembled& run, const Mesh& mesh, data::TrainingData& data, int64_t begin, int64_t end) {
  for (int64_t step = begin; step < end; ++step) {
    gradients(run, mesh, data, step);
    run::call_after_backward(run, step);
    run::update(run, step, /*norm=*/0);
    run::call_after_step(run, step);
    run::clear_gradients(run.parameters->all());
  }
}

std::string difference(const std::vector<run::NamedTensor>& found, const std::vector<run::NamedTensor>& expected,
                       double tolerance) {
  if (found.size() != expected.size())
    return std::to_string(found.size()) + " tensors instead of " + std::to_string(expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& [name, value] = found[i];
    if (name != expected[i].name) return "'" + name + "' instead of '" + expected[i].name + "'";
    auto wrong = tolerance > 0 ? difference("'" + name + "'", value, expected[i].value, tolerance)
                               : difference("'" + name + "'", value, expected[i].value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace assay::check
