#include "app/worker_exchange.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "assay/exchange.h"
#include "base/files.h"
#include "loader/instances.h"
#include "run/checkpoint/safetensors.h"

namespace assay::app {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uintmax_t kMaxBytes = 64 << 20;  // of a file without tensors

NamedTensors tensors_of(const run::SafetensorsFile& file) {
  NamedTensors tensors;
  for (const auto& name : file.names()) tensors.emplace_back(name, file.read(name));
  return tensors;
}

void write(const fs::path& file, const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  std::vector<run::NamedTensor> named;
  for (const auto& [name, value] : tensors) named.push_back({name, value.contiguous()});
  run::write_safetensors(file, named, metadata);
}

// A UserError of a hook is passed on to the user; any other exception becomes a PluginError.
template <class Call>
auto call_exchange(const Exchange& exchange, const char* hook, Call&& call) {
  try {
    return call();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    const auto& identity = exchange.identity();
    throw PluginError(identity.plugin, identity.name, hook, message_of(error), identity.instance);
  }
}

}  // namespace

json worker_export(const json& request) {
  const auto line = record::PlanLine::from_json(request.at("line"));
  const auto& train = line.train;
  check_paths(train.data.tokenizer);
  const auto registry = registry_of(line.plugins);
  loader::Instances instances(registry);
  const auto& exchange = instances.create<Exchange>(request.at("exchange"), "exchange");
  const run::SafetensorsFile weights(request.at("weights").get<std::string>());
  const auto known = weights.metadata().find("vocabulary");
  if (known == weights.metadata().end())
    throw UserError(weights.path().string() +
                    ": the file has no 'vocabulary' in its metadata, so it does not hold the weights of a run");
  const auto vocabulary = json::parse(known->second);
  const OwnModel own{train.model.dump(),       train.data.tokenizer.dump(), vocabulary.at("size"),
                     vocabulary.at("special"), train.data.context,          tensors_of(weights)};
  const auto foreign = call_exchange(exchange, "to_foreign", [&] { return exchange.to_foreign(own); });
  const fs::path out = request.at("out").get<std::string>();
  fs::create_directories(out);
  json written = json::array();
  for (const auto& [name, content] : foreign.files) {
    base::write_atomically(out / name, content);
    written.push_back(name);
  }
  const auto file = call_exchange(exchange, "tensor_file", [&] { return exchange.tensor_file(); });
  write(out / file, foreign.tensors, {{"format", "pt"}});
  written.push_back(file);
  return written;
}

json worker_import(const json& request) {
  const auto registry = registry_of(record::plugins_from_json(request.at("plugins"), "plugins"));
  loader::Instances instances(registry);
  const auto& exchange = instances.create<Exchange>(request.at("exchange"), "exchange");
  const fs::path from = request.at("from").get<std::string>(), out = request.at("out").get<std::string>();
  const auto file = from / call_exchange(exchange, "tensor_file", [&] { return exchange.tensor_file(); });
  if (!fs::exists(file))
    throw UserError(file.string() +
                    ": the file does not exist; if the weights are in several files or in another format, save them as "
                    "one safetensors file");
  ForeignModel foreign{{}, tensors_of(run::SafetensorsFile(file))};
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file() && entry.path() != file && entry.file_size() < kMaxBytes)
      foreign.files[entry.path().filename().string()] = base::read_file(entry.path());
  const auto own = call_exchange(exchange, "from_foreign", [&] { return exchange.from_foreign(foreign); });
  fs::create_directories(out);
  // The vocabulary may be incomplete; [init] compares it with the run's vocabulary.
  write(out / "weights.safetensors", own.tensors, {{"vocabulary", json{{"size", own.vocabulary}}.dump()}});
  return json::array({{{"model", json::parse(own.model)}, {"vocabulary", own.vocabulary}}});
}

}  // namespace assay::app
