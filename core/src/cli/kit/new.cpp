// assay new KIND NAME: a plugin's folder that builds, passes its test and runs.
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

// The source tree of assay that holds this folder; empty without one.
fs::path tree_around(const fs::path& folder) {
  for (auto at = folder; at != at.parent_path(); at = at.parent_path())
    if (fs::exists(at / "core/cmake/assay_add_plugin.cmake") && fs::is_directory(at / "plugins")) return at;
  return {};
}

}  // namespace

int new_plugin_folder(const Arguments& arguments) {
  std::string out;
  po::options_description options;
  options.add_options()("out", po::value(&out)->value_name("DIR"),
                        "the folder to make; default: plugins/KIND/NAME in assay's tree, else NAME here");
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
    throw UserError(
        fmt::format("{}: plugins of the tree stand in plugins/KIND/NAME; leave --out, or take a folder "
                    "elsewhere",
                    folder.string()));
  if (in_tree)
    for (const auto& other : fs::directory_iterator(around / "plugins"))
      if (other.path().filename() != kind && fs::exists(other.path() / name))
        throw UserError(fmt::format("'{}' is taken by {}; a plugin's name is that of its library", name,
                                    (other.path() / name).string()));
  const auto files = new_plugin(kind, name, in_tree);
  if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
    throw UserError(fmt::format("{}: is there already; nothing was changed", folder.string()));
  fs::create_directories(folder);
  for (const auto& [file, text] : files) base::write_atomically(folder / file, text);
  fmt::print("{}:\n", folder.string());
  for (const auto& [file, text] : files) fmt::print("  {}\n", file);
  fmt::print("How to build, check and run it stands in its README.md.\n");
  return kDone;
}

}  // namespace assay::cli
