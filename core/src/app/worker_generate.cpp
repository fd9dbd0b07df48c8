#include "app/worker_generate.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include <nlohmann/json.hpp>

#include "app/worker_run.h"
#include "mesh/backends.h"
#include "record/byte_text.h"
#include "run/checkpoint.h"
#include "run/decode.h"
#include "run/safetensors.h"

namespace assay {
using nlohmann::json;

json worker_generate(const json& request) {
  const auto& line = request.at("line");
  // What makes tokens of text and what the model reads must be as planned. The corpus has to be there, for the dataset
  // is created like every component, but its content no longer matters.
  check_paths(line.at("train").at("data").at("tokenizer"));
  check_paths(line.at("train").at("model"));
  const auto registry = registry_of(line);
  DecodeRequest decoding;
  for (const auto& prompt : request.at("prompts")) decoding.prompts.push_back(bytes_of_text(prompt.get<std::string>()));
  decoding.tokens = request.at("tokens");
  decoding.seed = request.at("seed");
  const std::string weights = request.at("weights");
  const auto metadata = SafetensorsFile(weights).metadata();
  if (const auto id = metadata.find("train_id"); id != metadata.end() && id->second != line.at("train_id"))
    throw UserError(weights + ": are the weights of run " + id->second + ", not of " +
                    line.at("train_id").get<std::string>());
  const auto compute = settle_compute(line);
  json answer = json::array();
  run_ranks(1, 1, [&](Mesh& mesh) {
    at::set_num_threads(line.at("resources").at("threads"));
    const c10::DeviceGuard device(compute.device);
    Assembled run(registry, line);
    run.compute = compute;
    run.build(mesh, /*draw=*/false);
    load_weights(weights, run, mesh);
    auto& decoder = run.instances.create<Decoder>(request.at("decoder"), "decoder");
    guard(decoder, "bind", [&] { decoder.bind(*run.vocabulary); });
    const auto continuations = decode(run, mesh, decoder, decoding);
    for (size_t i = 0; i < continuations.size(); ++i) {
      const auto& [ids, text, log_prob, ended] = continuations[i];
      answer.push_back({{"prompt", request.at("prompts")[i]},
                        {"text", text_of_bytes(text)},
                        {"ids", ids},
                        {"log_prob", log_prob},
                        {"ended", ended}});
    }
  });
  return answer;
}

}  // namespace assay
