// assay verify-mesh X.toml: compares the first updates of an experiment's first run on several meshes with those on one
// rank.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iostream>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/text_table.h"
#include "compare/formats/escape.h"
#include "record/layout.h"
#include "record/provenance.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Parses "2x1": tensor x data; "2x1s": sequence parallel.
record::MeshConfig mesh_of(const std::string& text, const std::string& backend) {
  int tensor = 0, data = 0;
  const bool split = text.ends_with('s');
  const char* const end = text.data() + text.size() - (split ? 1 : 0);
  const auto first = std::from_chars(text.data(), end, tensor);
  const auto second = first.ptr < end ? std::from_chars(first.ptr + 1, end, data) : first;
  if (first.ec != std::errc{} || second.ec != std::errc{} || second.ptr != end || *first.ptr != 'x' || tensor < 1 ||
      data < 1)
    throw UserError(
        fmt::format("assay verify-mesh: '{}' is not a valid mesh; "
                    "write tensor x data, such as 2x1, or 2x1s for sequence parallelism",
                    text));
  return {.tensor = tensor, .data = data, .sequence_parallel = split, .backend = tensor * data == 1 ? "self" : backend};
}

std::string text_of(const record::MeshConfig& mesh) {
  return fmt::format("{}x{}{}", mesh.tensor, mesh.data, mesh.sequence_parallel ? "s" : "");
}

// 1, 2, 5, 10, ... and the last.
std::vector<int64_t> steps_up_to(int64_t last) {
  std::vector<int64_t> steps;
  for (int64_t decade = 1; decade < last; decade *= 10)
    for (const int64_t step : {decade, 2 * decade, 5 * decade})
      if (step < last) steps.push_back(step);
  steps.push_back(last);
  return steps;
}

std::vector<std::vector<std::string>> rows_of(const json& answer) {
  std::vector<std::vector<std::string>> rows{{"precision", "mesh", "step", "loss", "gradients", "weights"}};
  const auto number = [](const json& value) {
    return value.is_null() ? "nan" : fmt::format("{:.1e}", value.get<double>());
  };
  for (const auto& one : answer) {
    const auto mesh = text_of(record::MeshConfig::from_json(one.at("mesh"), "mesh"));
    const auto precision = one.at("precision").get<std::string>();
    if (one.contains("refused"))
      rows.push_back({precision, mesh, "-", one["refused"].get<std::string>(), "", ""});
    else
      rows.push_back({precision, mesh, one.at("step").dump(), number(one.at("loss")), number(one.at("gradients")),
                      number(one.at("weights"))});
  }
  return rows;
}

std::string markdown(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (const auto& cell : row) text += "| " + compare::escaped_markdown(cell) + " ";
    text += "|\n";
    if (&row == &rows.front()) text += "|:--|:--|--:|--:|--:|--:|\n";
  }
  return text;
}

constexpr const char* kMeaning =
    "tensor x data (s: sequence parallel) against 1x1: relative difference of the loss; "
    "for gradients and weights the largest max|difference| / max(max|x| of the tensor, RMS of all) over the tensors";

constexpr const char* kNote =
    "a weight whose exact gradient is zero, such as the bias of the attention keys, "
    "has a gradient of rounding errors only, and Adam moves it by the full learning rate: "
    "in fp32 the last column shows such weights";

// Does not overwrite the table of a comparison, which has the same name.
void write_reference(const plan::Plan& plan, const std::vector<std::vector<std::string>>& rows,
                     const std::string& device, const std::string& command) {
  const record::ExperimentLayout experiment(plan.results_folder);
  const auto file = experiment.reference() / "table.md";
  if (std::filesystem::exists(file) && base::read_file(file).find("assay verify-mesh ") == std::string::npos)
    throw UserError(fmt::format(
        "{}: the file is the table of another command; give the experiment another name for this one", file.string()));
  std::filesystem::create_directories(experiment.reference());
  const auto& line = plan.lines.at(0);
  const auto& train = line.train;
  const auto git = record::git_state(std::filesystem::absolute(plan.request.file).parent_path());
  const auto cpu = record::read_cpuinfo();
  std::string text = fmt::format("**{}**: {}\n\n{}\n- {}\n", plan.experiment, kMeaning, markdown(rows), kNote);
  const std::pair<const char*, std::string> origin[] = {
      {"model", train.model.dump()},
      {"optimizer", train.optimizer.dump()},
      {"batch, context", fmt::format("{}, {}", train.train.batch, train.data.context)},
      {"data", line.data_id.substr(0, 12)},
      {"device", device},
      {"commit", git.commit.substr(0, 12) + (git.dirty.empty() ? "" : " and changes " + git.dirty.substr(0, 12))},
      {"machine", fmt::format("{}, {}", record::cpu_model(cpu), record::instruction_set(cpu))},
      {"command", "assay verify-mesh " + command}};
  for (const auto& [name, value] : origin)
    text += fmt::format(
        "- {}: {}\n", name,
        name == std::string_view("command") ? compare::markdown_code(value) : compare::escaped_markdown(value));
  base::write_atomically(file, text);
  std::cerr << "wrote " << base::printable(file.string()) << "\n";
}

}  // namespace

int verify_mesh(const Arguments& arguments) {
  std::string meshes, precisions, format, backend;
  int64_t steps = 0;
  bool reference = false;
  auto options = plan_options();
  options.add_options()("meshes", po::value(&meshes)->default_value("2x1,4x1,1x2,2x2,2x1s,4x1s")->value_name("M,M"),
                        "meshes to compare: tensor x data; s: sequence parallel")(
      "precisions", po::value(&precisions)->default_value("fp64,fp32")->value_name("P,P"),
      "precisions to compare, each with itself on one rank")(
      "backend", po::value(&backend)->default_value("threads")->value_name("B"), "threads on the CPU, or nccl on GPUs")(
      "steps", po::value(&steps)->value_name("N"),
      "number of updates; default: 50, or the experiment's if it has fewer")(
      "format", po::value(&format)->default_value("text")->value_name("F"), "text, md or json")(
      "reference", po::bool_switch(&reference), "also write reference/table.md among the experiment's results");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (format != "text" && format != "md" && format != "json")
    throw UserError("--format: '" + format + "' is not a valid format; give text, md or json");
  if (backend != "threads" && backend != "nccl")
    throw UserError("--backend: '" + backend + "' is not a valid backend; give threads or nccl");
  for (const auto& precision : parts_of(precisions))
    if (precision != "fp64" && precision != "fp32" && precision != "tf32" && precision != "bf16")
      throw UserError("--precisions: '" + precision + "' is not a valid precision; give fp64, fp32, tf32 or bf16");
  std::vector<record::MeshConfig> requested;
  for (const auto& mesh : parts_of(meshes)) requested.push_back(mesh_of(mesh, backend));
  const auto plan = plan::make_plan(plan_request(arguments, *parsed));
  auto line = plan.lines.at(0);
  const auto most = line.steps(), batch = line.train.train.batch;
  if (!parsed->options.count("steps")) steps = std::min<int64_t>(50, most);
  if (steps < 1 || steps > most)
    throw UserError(fmt::format("assay verify-mesh: --steps must be from 1 to train.steps, which is {}", most));
  for (const auto& mesh : requested)
    if (batch % mesh.data != 0)
      throw UserError(fmt::format(
          "assay verify-mesh: train.batch = {} is not divisible by data = {}; give other --meshes", batch, mesh.data));
  // All meshes use one device: a GPU against the CPU would add a difference of its own.
  const std::string device = backend == "nccl" ? "cuda" : "cpu";
  line.resources.device = device;
  json as_asked = json::array();
  for (const auto& mesh : requested) as_asked.push_back(mesh.to_json());
  const auto answer =
      worker::verify_meshes({{"line", line.to_json()},
                             {"meshes", as_asked},
                             {"precisions", parts_of(precisions)},
                             {"steps", steps_up_to(steps)},
                             {"contexts", (plan.results_folder.parent_path() / ".cache/contexts").string()}});
  const auto rows = rows_of(answer);
  const auto title = fmt::format("{}, {}, seed {}, {}", plan.experiment, line.label, line.seed, device);
  if (format == "json")
    std::cout << answer.dump(2) << "\n";
  else if (format == "md")
    std::cout << "**" << compare::escaped_markdown(title) << "**: " << kMeaning << "\n\n" << markdown(rows);
  else
    std::cout << base::printable(title) << ": " << kMeaning << "\n\n" << aligned(rows);
  if (reference) write_reference(plan, rows, device, fmt::format("{}", fmt::join(arguments.words, " ")));
  return kDone;
}

}  // namespace assay::cli
