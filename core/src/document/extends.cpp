#include "document/extends.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "document/merge.h"
#include "document/parse.h"

namespace assay::document {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  Loader(Document& document, Diagnostics& diagnostics) : document_(document), diagnostics_(diagnostics) {}

  void load(const std::string& file, const Position& from) {
    std::error_code unreadable;  // reading the file reports why
    const auto identity = fs::weakly_canonical(fs::path(file), unreadable).string();
    if (!identity.empty() && std::find(open_.begin(), open_.end(), identity) != open_.end())
      return fail(from, fmt::format("'extends' forms a cycle: '{}' is already being read", file));
    if (from.line > 0 && fs::exists(file, unreadable) && !fs::is_regular_file(file, unreadable))
      return fail(from, fmt::format("'extends' names '{}', which is not a regular file; name TOML files", file));
    std::string text;
    try {
      text = base::read_file(file);
    } catch (const UserError& error) {
      return fail(from, from.line == 0 ? error.what() : fmt::format("'extends' names '{}': {}", file, error.what()));
    }
    auto tree = parse_toml(text, file, diagnostics_);
    if (!tree) complete_ = false;
    if (!tree) return;
    open_.push_back(identity);
    load_parents(*tree->as<Table>(), fs::path(file).parent_path());
    open_.pop_back();
    tree->as<Table>()->erase("extends");
    expand_shorthands(*tree, diagnostics_);
    merge_document(document_.root, std::move(*tree), diagnostics_);
    document_.sources.push_back({file, std::move(text)});
  }

  bool complete() const { return complete_; }

 private:
  void fail(const Position& position, std::string message) {
    complete_ = false;
    diagnostics_.add(position, std::move(message));
  }

  void load_parents(const Table& table, const fs::path& folder) {
    const auto* extends = table.find("extends");
    if (!extends) return;
    const auto* list = extends->as<Array>();
    if (!list) {
      return fail(extends->position,
                  fmt::format("'extends' must be a list of file names, but is {}", describe(*extends)));
    }
    for (const auto& item : *list) {
      const auto* name = item.as<std::string>();
      if (!name) {
        fail(item.position, fmt::format("'extends' must list file names, but has {}", describe(item)));
      } else {
        load((folder / *name).lexically_normal().string(), item.position);
      }
    }
  }

  Document& document_;
  Diagnostics& diagnostics_;
  bool complete_ = true;
  std::vector<std::string> open_;  // files being read, outermost first
};

}  // namespace

Document load_document(const std::string& file, Diagnostics& diagnostics) {
  Document document;
  Loader loader(document, diagnostics);
  loader.load(file, {std::make_shared<const std::string>(file), 0, 0});
  if (!loader.complete()) diagnostics.throw_if_any();
  return document;
}

}  // namespace assay::document
