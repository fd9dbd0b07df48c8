#include "config/argument_component.h"

#include <fmt/format.h>

#include <memory>

#include "config/key_path.h"
#include "config/parse.h"
#include "config/resolve.h"

namespace assay::config {

nlohmann::json component_of_words(const std::string& kind, const std::string& name,
                                  const std::vector<std::string>& words, const Catalogue& catalogue) {
  Diagnostics diagnostics;
  const auto at = [](const std::string& text) { return Position{std::make_shared<const std::string>(text), 0, 0}; };
  const auto origin = at(fmt::format("--{} {}", kind, name));
  Node node{Table{}, origin};
  node.as<Table>()->set("use", origin, Node{name, origin});
  for (const auto& word : words) {
    const auto position = at(word);
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      diagnostics.add(position, fmt::format("a parameter of the {} has the form key=value", kind));
    else
      set_path(node, split_key(word.substr(0, equals)), position,
               parse_argument_value(word.substr(equals + 1), position, diagnostics), diagnostics);
  }
  PathFinder paths(std::filesystem::current_path() / "command line");
  auto component = Resolver(catalogue, paths, diagnostics).component(node, kind);
  diagnostics.throw_if_any();
  return component;
}

}  // namespace assay::config
