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

Assembled::Assembled(const loader::Registry& registry, const record::PlanLine& line) : instances(registry) {
  const auto& train = line.train;
  const auto& settings = train.train;
  context = train.data.context;
  steps = settings.steps;
  batch = settings.batch;
  clip_norm = settings.clip_norm;
  skip_loss_z = settings.skip_loss_z.value_or(0);
  skip_norm_z = settings.skip_norm_z.value_or(0);
  fp64 = settings.precision == "fp64";
  skip_non_finite = settings.non_finite == "skip";
  init_seed = static_cast<uint64_t>(train.seeds.init);
  data_seed = static_cast<uint64_t>(train.seeds.data);
  micro_batch = line.resources.micro_batch;
  threads = line.resources.threads;
  tensor = line.resources.mesh.tensor;
  data = line.resources.mesh.data;
  sequence_parallel = line.resources.mesh.sequence_parallel;

  dataset_config = train.data.dataset.dump();
  data_config = dataset_config + train.data.tokenizer.dump();
  dataset = &instances.create<Dataset>(train.data.dataset, "data.dataset");
  tokenizer = &instances.create<Tokenizer>(train.data.tokenizer, "data.tokenizer");
  model = &instances.create<Model>(train.model, "model");
  for (const auto& [label, weight, config] : train.objectives)
    objectives.push_back({&instances.create<Objective>(config, "objective." + label), label, weight});
  for (const auto& [label, config] : train.transforms) {
    transforms.push_back(&instances.create<Transform>(config, "transform." + label));
    transforms_config += config.dump();
  }
  optimizer = &instances.create<Optimizer>(train.optimizer, "optimizer");
  scheduler = &instances.create<Scheduler>(train.scheduler, "scheduler");
  for (const auto& [label, config] : train.callbacks)
    callbacks.push_back(&instances.create<Callback>(config, "callback." + label));
  const auto trains = instances.all().size();
  for (const auto& [label, id, every, config, split] : line.evaluate)
    evaluators.push_back({&instances.create<Evaluator>(without_core_keys(config), "evaluate." + label), label, id,
                          split_of(split), every, config.dump() + json(split).dump()});
  for (const auto& [label, config] : line.trackers)
    trackers.push_back(&instances.create<Tracker>(config, "tracker." + label));
  bind(trains);
}

// Only training components determine the vocabulary, because only they are part of a run's identity.
void Assembled::bind(size_t trains) {
  SpecialTokens tokens;
  tokens.declare(kEndOfText);
  std::map<std::string, std::string> words;  // of training components
  for (size_t i = 0; i < instances.all().size(); ++i) {
    const auto* component = instances.all()[i];
    const auto before = tokens.names().size();
    guard(*component, "special_tokens", [&] { component->special_tokens(tokens); });
    if (i < trains) words = tokens.words();
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
  for (const auto& [name, text] : words) {
    if (special.at(name) < text_ids) continue;  // the tokenizer has it
    const auto ids = guard(*tokenizer, "encode", [&] { return tokenizer->encode(text); });
    if (!ids.empty()) added_tokens.push_back({special.at(name), {ids.begin(), ids.end()}});
  }
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
  if (draw) nn::start_as_words(added_tokens, vocabulary->size(), parameters->all(), mesh);
  if (trains) guard(*optimizer, "attach", [&] { optimizer->attach(parameters->all(), mesh); });
}

int64_t Assembled::parameter_count(bool embeddings) const {
  int64_t count = 0;
  for (const auto& [spec, value] : parameters->all()) {
    if (!embeddings && spec.role == Role::kEmbedding) continue;
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

bool Assembled::makes_sequences() const {
  return std::any_of(transforms.begin(), transforms.end(),
                     [](const Transform* transform) { return transform->stage() == Stage::kSequences; });
}

Objective* Assembled::classifier() const {
  for (const auto& entry : objectives)
    if (!guard(*entry.objective, "classes", [&] { return entry.objective->classes(); }).empty()) return entry.objective;
  return nullptr;
}

Assembly Assembled::assembly() const {
  Assembly out;
  out.model = model;
  for (const auto& entry : objectives) out.objectives.push_back(entry.objective);
  out.transforms = transforms;
  out.tokenizer = tokenizer;
  out.context = context;
  out.batch = batch;
  out.micro_batch = micro_batch;
  out.tensor_ranks = tensor;
  out.data_ranks = data;
  return out;
}

}  // namespace assay::run
