#include "app/worker_inputs.h"

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "config/run_inputs.h"
#include "record/files.h"
#include "record/layout.h"
#include "record/sha256.h"

namespace assay {
namespace {

using nlohmann::json;

std::string weights_of(const json& input) {
  const RunLayout run(input.at("path").get<std::string>());
  const auto name = "input " + input.at("experiment").get<std::string>() + " (" + run.folder().string() + "): ";
  if (!std::filesystem::exists(run.train_record()))
    throw UserError(name + "is not finished; run it first, or give assay run --with-inputs");
  const auto expected = json::parse(read_file(run.train_record())).value("weights_sha256", "");
  if (expected.empty()) throw UserError(name + "kept no weights; train it with train.keep = \"weights\"");
  if (!std::filesystem::exists(run.weights()) || sha256_of_file(run.weights()) != expected)
    throw UserError(name + "its weights.safetensors is not what its record says; run it again");
  return expected;
}

void settle(json& value) {
  if (config::is_run_input(value))
    value["sha256"] = weights_of(value);
  else if (value.is_structured())
    for (auto& item : value) settle(item);
}

}  // namespace

void settle_inputs(json& plan_line) {
  for (const char* part : {"train", "evaluate"}) settle(plan_line.at(part));
}

}  // namespace assay
