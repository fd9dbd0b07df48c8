// assay generate RUN --prompt TEXT: generates text from a run's final weights with any decoder, or infills a text
// (infill.h).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "assay/error.h"
#include "base/byte_text.h"
#include "base/files.h"
#include "cli/shared/cli.h"
#include "cli/shared/infill.h"
#include "cli/shared/named_run.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/run_on_hand.h"
#include "report/heatmap.h"
#include "schema/argument_component.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

json request_for(const NamedRun& run, const schema::Catalogue& catalogue, const json& decoder) {
  check_weights(run);
  auto line = run.line;
  line.plugins = current_plugins(line, catalogue, "decoder/" + decoder.at("use").get<std::string>());
  line.evaluate.clear();
  line.trackers.clear();
  line.resources.mesh = {};
  // The device is what this machine has, and the precision is that of the weights.
  line.resources.device = "auto";
  if (auto& precision = line.train.train.precision; precision != "fp64") precision = "fp32";
  return {{"line", line.to_json()}, {"weights", run.layout.weights().string()}, {"decoder", decoder}};
}

void draw(const json& continuation, const NamedRun& run, const std::string& file) {
  report::Heatmap heatmap;
  heatmap.cosines = continuation.at("cosines");
  heatmap.title = fmt::format("{}: {}", run.line.experiment, run.line.label);
  for (const auto& token : continuation.at("tokens"))
    heatmap.labels.push_back(base::bytes_of_text(token.get<std::string>()));
  report::draw_heatmap(heatmap, file);
}

}  // namespace

int generate(const Arguments& arguments) {
  std::vector<std::string> prompts;
  std::string file, decoder, heatmap;
  int64_t tokens = 0, samples = 0;
  uint64_t seed = 0;
  auto options = plugin_options();
  options.add_options()("prompt", po::value(&prompts)->composing()->value_name("TEXT"), "text to continue; repeatable")(
      "prompt-file", po::value(&file)->value_name("FILE"), "file whose whole content is one more prompt")(
      "decoder", po::value(&decoder)->value_name("NAME"),
      "decoder that chooses the tokens; its parameters are arguments key=value")(
      "tokens", po::value(&tokens)->default_value(200)->value_name("N"),
      "maximum number of new tokens; default for infilling: a quarter of the context length")(
      "samples", po::value(&samples)->default_value(1)->value_name("N"), "continuations per prompt")(
      "seed", po::value(&seed)->default_value(1)->value_name("N"), "seed of the decoder's sampling")(
      "heatmap", po::value(&heatmap)->value_name("FILE.png"),
      "plot the cosines between the final hidden states of prompt and continuation")(
      "json", "print one JSON object per continuation: prompt, text, ids, log_prob, ended, measured.seconds of all");
  add_infill_options(options);
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.empty()) throw UserError("assay generate: a RUN is missing; see assay generate --help");
  if (tokens < 1 || samples < 1) throw UserError("assay generate: --tokens and --samples must be at least 1");
  const auto infill = infill_request(parsed->options);
  if (!file.empty()) prompts.push_back(base::read_file(file));
  if (prompts.empty()) prompts.emplace_back();
  const auto run = find_run(parsed->words[0]);
  note_other_plan({run.experiment(), std::nullopt});
  const auto catalogue = worker::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  if (decoder.empty())
    throw UserError(fmt::format("assay generate: --decoder is missing; decoders are {}",
                                fmt::join(catalogue.names_of("decoder"), ", ")));
  const std::vector<std::string> parameters(parsed->words.begin() + 1, parsed->words.end());
  auto request = request_for(run, catalogue, schema::component_of_words("decoder", decoder, parameters, catalogue));
  if (infill && parsed->options["tokens"].defaulted()) tokens = std::max<int64_t>(run.line.train.data.context / 4, 1);
  request["tokens"] = tokens;
  request["seed"] = seed;
  const bool as_json = parsed->options.count("json") > 0;
  if (infill) {
    request["infill"] = to_json(*infill);
    print_infills(*infill, worker::generate_text(request, [](const std::string&) {}), as_json);
    return kDone;
  }
  for (const auto& prompt : prompts)
    for (int64_t sample = 0; sample < samples; ++sample) request["prompts"].push_back(base::text_of_bytes(prompt));
  const bool one = request["prompts"].size() == 1;
  if (!heatmap.empty() && !one)
    throw UserError("assay generate: --heatmap shows one continuation; give one prompt and one sample");
  if (!heatmap.empty()) report::check_heatmap_name(heatmap);
  request["stream"] = one && !as_json;
  request["cosines"] = !heatmap.empty();
  std::string streamed;
  const auto on_text = [&](const std::string& text) {
    std::cout << (streamed.empty() ? prompts[0] : "") << text << std::flush;
    streamed += text;
  };
  for (auto& continuation : worker::generate_text(request, on_text)) {
    if (!heatmap.empty()) draw(continuation, run, heatmap);
    for (const char* key : {"cosines", "tokens"}) continuation.erase(key);
    for (const char* key : {"prompt", "text"})
      continuation[key] = base::bytes_of_text(continuation[key].get<std::string>());
    const std::string prompt = continuation["prompt"], text = continuation["text"];
    if (as_json)
      std::cout << continuation.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    else if (streamed.empty())  // nothing was streamed
      std::cout << prompt << text << "\n";
    else
      std::cout << text.substr(std::min(streamed.size(), text.size())) << "\n";
  }
  return kDone;
}

}  // namespace assay::cli
