#include "app/worker_exchange.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/worker_run.h"
#include "assay/exchange.h"
#include "loader/instances.h"
#include "record/files.h"
#include "run/assemble.h"
#include "run/safetensors.h"

namespace assay {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uintmax_t kMostBytes = 64 << 20;  // of a file that is no tensors

NamedTensors tensors_of(const SafetensorsFile& file) {
  NamedTensors tensors;
  for (const auto& name : file.names()) tensors.emplace_back(name, file.read(name));
  return tensors;
}

void write(const fs::path& file, const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  std::vector<NamedTensor> named;
  for (const auto& [name, value] : tensors) named.push_back({name, value.contiguous()});
  write_safetensors(file, named, metadata);
}

}  // namespace

json worker_export(const json& request) {
  const auto& line = request.at("line");
  const auto& train = line.at("train");
  const auto registry = registry_of(line);
  const Assembled run(registry, line);  // for its vocabulary
  Instances instances(registry);
  const auto& exchange = instances.create<Exchange>(request.at("exchange"), "exchange");
  OwnModel own{train.at("model").dump(),
               train.at("data").at("tokenizer").dump(),
               run.vocabulary->size(),
               run.vocabulary->special(kEndOfText),
               run.context,
               tensors_of(SafetensorsFile(request.at("weights").get<std::string>()))};
  const auto foreign = guard(exchange, "to_foreign", [&] { return exchange.to_foreign(own); });
  const fs::path out = request.at("out").get<std::string>();
  fs::create_directories(out);
  json written = json::array();
  for (const auto& [name, content] : foreign.files) {
    write_atomically(out / name, content);
    written.push_back(name);
  }
  const auto file = guard(exchange, "tensor_file", [&] { return exchange.tensor_file(); });
  write(out / file, foreign.tensors, {{"format", "pt"}});
  written.push_back(file);
  return written;
}

json worker_import(const json& request) {
  const auto registry = registry_of(request);
  Instances instances(registry);
  const auto& exchange = instances.create<Exchange>(request.at("exchange"), "exchange");
  const fs::path from = request.at("from").get<std::string>(), out = request.at("out").get<std::string>();
  const auto file = from / guard(exchange, "tensor_file", [&] { return exchange.tensor_file(); });
  if (!fs::exists(file)) throw UserError(file.string() + ": there is no such file");
  ForeignModel foreign{{}, tensors_of(SafetensorsFile(file))};
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file() && entry.path() != file && entry.file_size() < kMostBytes)
      foreign.files[entry.path().filename().string()] = read_file(entry.path());
  const auto own = guard(exchange, "from_foreign", [&] { return exchange.from_foreign(foreign); });
  fs::create_directories(out);
  write(out / "weights.safetensors", own.tensors, {});
  return json::array({{{"model", json::parse(own.model)}, {"vocabulary", own.vocabulary}}});
}

}  // namespace assay
