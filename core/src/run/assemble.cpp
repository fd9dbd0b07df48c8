#include "run/assemble.h"

#include <algorithm>

#include "nn/store.h"

namespace assay::run {
using nlohmann::json;

namespace {

Split split_of(const std::string& name) {
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
    if (name == name_of(split)) return split;
  throw UserError("split '" + name + "' is not valid; it must be train, validation or test");
}

json without_core_keys(json entry) {
  for (const char* key : {"every", "split"}) entry.erase(key);
  return entry;
}

}  // namespace

Assembled::Assembled(const loader::Registry& registry, const json& line) : instances(registry) {
  const auto& train = line.at("train");
  const auto& budget = train.at("train");
  const auto& resources = line.at("resources");
  context = train.at("data").at("context");
  steps = budget.at("steps");
  batch = budget.at("batch");
  clip_norm = budget.at("clip_norm");
  skip_loss_z = budget.value("skip_loss_z", 0.0);
  skip_norm_z = budget.value("skip_norm_z", 0.0);
  fp64 = budget.at("precision") == "fp64";
  skip_non_finite = budget.value("non_finite", "stop") == "skip";
  init_seed = train.at("seeds").at("init");
  data_seed = train.at("seeds").at("data");
  micro_batch = resources.at("micro_batch");
  threads = resources.at("threads");
  tensor = resources.at("mesh").at("tensor");
  data = resources.at("mesh").at("data");
  sequence_parallel = resources.at("mesh").value("sequence_parallel", false);

  dataset_config = train.at("data").at("dataset").dump();
  data_config = dataset_config + train.at("data").at("tokenizer").dump();
  dataset = &instances.create<Dataset>(train.at("data").at("dataset"), "data.dataset");
  tokenizer = &instances.create<Tokenizer>(train.at("data").at("tokenizer"), "data.tokenizer");
  model = &instances.create<Model>(train.at("model"), "model");
  for (const auto& entry : train.at("objectives")) {
    const std::string label = entry.at("label");
    objectives.push_back(
        {&instances.create<Objective>(entry, "objective." + label), label, entry.value("weight", 1.0)});
  }
  for (const auto& entry : train.at("transforms"))
    transforms.push_back(&instances.create<Transform>(entry, "transform." + entry.at("label").get<std::string>()));
  optimizer = &instances.create<Optimizer>(train.at("optimizer"), "optimizer");
  scheduler = &instances.create<Scheduler>(train.at("scheduler"), "scheduler");
  for (const auto& entry : train.value("callbacks", json::array()))
    callbacks.push_back(&instances.create<Callback>(entry, "callback." + entry.at("label").get<std::string>()));
  const auto trains = instances.all().size();
  for (const auto& entry : line.at("evaluate")) {
    const std::string label = entry.at("label");
    evaluators.push_back({&instances.create<Evaluator>(without_core_keys(entry.at("config")), "evaluate." + label),
                          label, entry.at("id"), split_of(entry.at("split")), entry.at("every"),
                          entry.at("config").dump() + entry.at("split").dump()});
  }
  for (const auto& entry : line.value("trackers", json::array()))
    trackers.push_back(&instances.create<Tracker>(entry, "tracker." + entry.value("label", entry.value("use", ""))));
  bind(trains);
}

// Only training components determine the vocabulary, because only they are part of a run's identity.
void Assembled::bind(size_t trains) {
  SpecialTokens tokens;
  tokens.declare(kEndOfText);
  for (size_t i = 0; i < instances.all().size(); ++i) {
    const auto* component = instances.all()[i];
    const auto before = tokens.names().size();
    guard(*component, "special_tokens", [&] { component->special_tokens(tokens); });
    if (i >= trains && tokens.names().size() > before)
      throw PluginError(component->identity().plugin, component->identity().name, "special_tokens",
                        "the component declares the special token '" + tokens.names().back() +
                            "', which no training component declares; evaluators and trackers cannot extend the "
                            "vocabulary, so declare it in an objective or transform",
                        component->identity().instance);
  }
  const auto text_ids = guard(*tokenizer, "size", [&] { return tokenizer->size(); });
  auto special = guard(*tokenizer, "special_ids", [&] { return tokenizer->special_ids(); });
  int64_t size = text_ids;
  for (const auto& name : tokens.names())
    if (special.emplace(name, size).second) ++size;
  vocabulary = std::make_unique<Vocabulary>(*tokenizer, size, special);
  for (auto* component : instances.all()) guard(*component, "bind", [&] { component->bind(*vocabulary); });
}

void Assembled::build(const Mesh& mesh, bool draw, bool trains) {
  const auto type = fp64 ? at::kDouble : at::kFloat;
  const auto options = at::TensorOptions().dtype(type).device(compute.device);
  auto store = std::make_shared<Parameters::Store>(Parameters::Store{&mesh, options, init_seed, draw});
  parameters = std::make_unique<Parameters>(store, "");
  for (auto* component : instances.all()) {
    auto scope = parameters->scope(component->identity().instance);
    guard(*component, "build", [&] { component->build(scope); });
  }
  if (trains) guard(*optimizer, "attach", [&] { optimizer->attach(parameters->all(), mesh); });
}

int64_t Assembled::parameter_count() const {
  int64_t count = 0;
  for (const auto& [spec, value] : parameters->all()) {
    int64_t elements = 1;
    for (const auto size : spec.shape) elements *= size;
    if (spec.drawn_rows >= 0) elements = elements / spec.shape[0] * spec.drawn_rows;  // padding does not count
    count += elements;
  }
  return count;
}

double Assembled::row_flops() const {
  double own = 0;
  bool shares = false;
  for (const auto& [objective, label, weight] : objectives) {
    const auto flops = guard(*objective, "flops", [&] { return objective->flops(*model, context); });
    own += flops.value_or(0);
    shares |= !flops;
  }
  // A backward pass costs two forward passes.
  return own +
         (shares ? 3 * guard(*model, "forward_flops", [&] { return model->forward_flops(context, context); }) : 0);
}

int64_t Assembled::unread() const {
  int64_t most = 0;
  for (const auto& entry : objectives)
    most = std::max(most, guard(*entry.objective, "needs", [&] { return entry.objective->needs().unread; }));
  return most;
}

Assembly Assembled::assembly() const {
  Assembly out;
  out.model = model;
  for (const auto& entry : objectives) out.objectives.push_back(entry.objective);
  out.tokenizer = tokenizer;
  out.context = context;
  out.batch = batch;
  out.micro_batch = micro_batch;
  out.tensor_ranks = tensor;
  out.data_ranks = data;
  return out;
}

}  // namespace assay::run
