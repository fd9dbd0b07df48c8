#include "schema/argument_component.h"

#include <fmt/format.h>

#include <memory>

#include "document/key_path.h"
#include "document/parse.h"
#include "document/set_path.h"
#include "schema/resolve.h"

namespace assay::schema {

nlohmann::json component_of_words(const std::string& kind, const std::string& name,
                                  const std::vector<std::string>& words, const Catalogue& catalogue) {
  document::Diagnostics diagnostics;
  const auto at = [](const std::string& text) {
    return document::Position{std::make_shared<const std::string>(text), 0, 0};
  };
  const auto origin = at(fmt::format("--{} {}", kind, name));
  document::Node node{document::Table{}, origin};
  node.as<document::Table>()->set("use", origin, document::Node{name, origin});
  for (const auto& word : words) {
    const auto position = at(word);
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      diagnostics.add(position, fmt::format("a parameter of the {} must have the form key=value", kind));
    else
      document::set_path(node, document::split_key(word.substr(0, equals)), position,
                         document::parse_argument_value(word.substr(equals + 1), position, diagnostics), diagnostics);
  }
  PathFinder paths(std::filesystem::current_path() / "command line");
  auto component = Resolver(catalogue, paths, diagnostics).component(node, kind);
  diagnostics.throw_if_any();
  return component;
}

}  // namespace assay::schema
