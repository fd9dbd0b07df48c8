#include "cli/kit/scaffold.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "assay/error.h"
#include "base/nearest.h"

namespace assay::cli {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// The section of an experiment that uses a component of this kind; a section that it replaces begins with the same
// line. Empty if no section of a run uses this kind.
struct Section {
  std::string header, body;
};
Section section_of(const std::string& kind, const std::string& name) {
  if (kind == "dataset") return {"dataset =", fmt::format("dataset = \"{}\"\n", name)};
  if (kind == "tokenizer") return {"tokenizer =", fmt::format("tokenizer = \"{}\"\n", name)};
  if (kind == "decoder" || kind == "scorer" || kind == "attack" || kind == "defense") return {"", ""};
  const bool list =
      kind == "objective" || kind == "transform" || kind == "evaluator" || kind == "tracker" || kind == "callback";
  const auto section = kind == "evaluator" ? "evaluate" : kind;
  const auto header = list ? fmt::format("[[{}]]", section) : fmt::format("[{}]", section);
  return {header, fmt::format("{}\nuse = \"{}\"\n", header, name)};
}

// Replaces the paragraph or line that begins with the section's header by the section; appends the section if there is
// none.
std::string experiment_with(std::string text, const std::string& kind, const std::string& name) {
  const auto [header, body] = section_of(kind, name);
  if (header.empty()) return text;
  const auto at = text.find("\n" + header);
  if (at == std::string::npos) return text + "\n" + body;
  const bool line = header.front() != '[';
  const auto end = text.find(line ? "\n" : "\n\n", at + 1);
  text.replace(at + 1, end == std::string::npos ? std::string::npos : end + 1 - (at + 1), body);
  return text;
}

std::string cmake_of(const std::string& name, bool in_tree) {
  if (in_tree) return fmt::format("assay_add_plugin({})\n", name);
  return fmt::format(
      "cmake_minimum_required(VERSION 3.25)\nproject({} LANGUAGES CXX)\nenable_testing()\n"
      "find_package(assay REQUIRED)\nassay_add_plugin({})\n",
      name, name);
}

// A decoder is used on a finished run.
std::string how_to_run(const std::string& kind, const std::string& name, const std::string& assay,
                       const std::string& experiment) {
  const auto run = fmt::format("{} run {}", assay, experiment);
  if (kind != "decoder") return run;
  return fmt::format("{}\n{} generate RUN --decoder {}    # RUN: the id that `assay status` shows", run, assay, name);
}

std::string how_to_build(const std::string& kind, const std::string& name, bool in_tree) {
  if (in_tree)
    return fmt::format(
        "```\ncmake --build .build\n"
        "scripts/lib/readme_plugins.py                                # updates the table in plugins/README.md\n"
        "scripts/test                                                 # runs all tests, this plugin's among them\n"
        ".build/bin/assay check .build/lib/assay/plugins/{0}.so\n"
        "{2}\n```",
        name, kind, how_to_run(kind, name, ".build/bin/assay", "plugins/" + kind + "/" + name + "/experiment.toml"));
  return fmt::format(
      "```\ncmake -S . -B build -DCMAKE_PREFIX_PATH=<where assay is installed>\n"
      "cmake --build build && ctest --test-dir build\nexport ASSAY_PLUGIN_PATH=$PWD/build/plugins\n"
      "assay check build/plugins/{}.so\n{}\n```",
      name, how_to_run(kind, name, "assay", "experiment.toml"));
}

}  // namespace

std::vector<std::string> scaffold_kinds() {
  std::vector<std::string> kinds;
  for (const auto& [file, text] : scaffold_files())
    if (file.ends_with("/plugin.cpp")) kinds.push_back(file.substr(0, file.find('/')));
  return kinds;
}

std::map<std::string, std::string> new_plugin(const std::string& kind, const std::string& name, bool in_tree) {
  const auto kinds = scaffold_kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw UserError(fmt::format("assay new: there is no scaffold for the kind '{}'{}", kind,
                                base::suggestion(kind, kinds, "kinds are ")));
  const bool plain = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) &&
                     std::all_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '_'; });
  if (!plain)
    throw UserError(fmt::format(
        "assay new: '{}' is not a valid plugin name; use lower-case letters, digits and '_', with a letter first",
        name));
  for (const char* taken : {"assay", "tensor", "batch", "child", "test"})  // names of the SDK and CMake
    if (name == taken) throw UserError(fmt::format("assay new: the name '{}' is reserved; give a longer one", name));
  std::string type;
  for (size_t i = 0; i < name.size(); ++i)
    if (name[i] != '_')
      type +=
          i == 0 || name[i - 1] == '_' ? static_cast<char>(std::toupper(static_cast<unsigned char>(name[i]))) : name[i];
  const auto filled = [&](const std::string& file) {
    auto text = scaffold_files().at(file);
    replace_all(text, "BUILD", how_to_build(kind, name, in_tree));
    replace_all(text, "KIND", kind);
    auto dashes = name;
    std::replace(dashes.begin(), dashes.end(), '_', '-');
    replace_all(text, "scaffold-name", dashes);
    replace_all(text, "scaffold_name", name);
    replace_all(text, "ScaffoldName", type);
    return text;
  };
  return {{name + ".cpp", filled(kind + "/plugin.cpp")},
          {name + "_test.cpp", filled(kind + "/test.cpp")},
          {"CMakeLists.txt", cmake_of(name, in_tree)},
          {"README.md", filled("README.md.in")},
          {"experiment.toml", experiment_with(filled("experiment.toml.in"), kind, name)}};
}

}  // namespace assay::cli
