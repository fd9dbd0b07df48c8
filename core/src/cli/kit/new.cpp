// assay new KIND NAME: makes a plugin's folder that builds, passes its test and runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "assay/error.h"
#include "base/files.h"
#include "cli/kit/scaffold.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

// The source tree of assay that contains this folder; empty if there is none.
fs::path tree_around(const fs::path& folder) {
  for (auto at = folder; at != at.parent_path(); at = at.parent_path())
    if (fs::exists(at / "core/cmake/assay_add_plugin.cmake") && fs::is_directory(at / "plugins")) return at;
  return {};
}

}  // namespace

int new_plugin_folder(const Arguments& arguments) {
  std::string out;
  po::options_description options;
  options.add_options()(
      "out", po::value(&out)->value_name("DIR"),
      "folder to make; default: plugins/KIND/NAME in assay's tree, otherwise NAME in the current folder");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 2)
    throw UserError(fmt::format("assay new takes a KIND and a NAME; kinds are {}", fmt::join(scaffold_kinds(), ", ")));
  const auto &kind = parsed->words[0], &name = parsed->words[1];
  auto folder = fs::weakly_canonical(fs::absolute(out.empty() ? name : out));
  const auto tree = tree_around(fs::weakly_canonical(fs::current_path()));
  if (out.empty() && !tree.empty()) folder = tree / "plugins" / kind / name;
  const auto around = tree_around(folder);
  const bool in_tree = !around.empty() && folder.string().starts_with((around / "plugins").string() + "/");
  if (in_tree && folder != around / "plugins" / kind / name)
    throw UserError(fmt::format(
        "{}: the plugins of the tree are in plugins/KIND/NAME; leave --out out, or give a folder outside the tree",
        folder.string()));
  if (in_tree)
    for (const auto& other : fs::directory_iterator(around / "plugins"))
      if (other.path().filename() != kind && fs::exists(other.path() / name))
        throw UserError(fmt::format(
            "assay new: the name '{}' is taken by {}, and a plugin's name must be unique because its library has the "
            "same name",
            name, (other.path() / name).string()));
  const auto files = new_plugin(kind, name, in_tree);
  if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
    throw UserError(
        fmt::format("{}: the path exists and is not an empty folder; nothing was changed", folder.string()));
  fs::create_directories(folder);
  for (const auto& [file, text] : files) base::write_atomically(folder / file, text);
  fmt::print("{}:\n", folder.string());
  for (const auto& [file, text] : files) fmt::print("  {}\n", file);
  fmt::print("Its README.md describes how to build, check and run it.\n");
  return kDone;
}

}  // namespace assay::cli
