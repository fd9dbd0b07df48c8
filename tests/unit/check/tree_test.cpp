// Every plugin in the tree has the properties of its kind.
#include <gtest/gtest.h>

#include <filesystem>

#include "check/check.h"
#include "check/stand_ins.h"
#include "harness.h"
#include "smoke.h"
#include "unit/source_folder.h"

namespace assay::check {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Plugin {
  std::string kind, name;
};

std::vector<Plugin> plugins_of_the_tree() {
  std::vector<Plugin> plugins;
  for (const auto& kind : fs::directory_iterator(testing::source_folder() / "plugins"))
    if (kind.is_directory())
      for (const auto& name : fs::directory_iterator(kind))
        if (name.is_directory()) plugins.push_back({kind.path().filename().string(), name.path().filename().string()});
  return plugins;
}

const loader::Registry& registry() {
  static const auto* made = [] {
    auto* with_stand_ins = new loader::Registry(loader::plugin_files({testing::plugin_folder()}));
    with_stand_ins->add(stand_ins());
    return with_stand_ins;
  }();
  return *made;
}

// Returns the values that its smoke.toml gives to it; files are relative to that file.
json given_to(const Plugin& plugin) {
  const auto folder = testing::source_folder() / "plugins" / plugin.kind / plugin.name;
  auto given = testing::smoke_of(plugin.kind, plugin.name);
  const auto* component = registry().find(plugin.kind, plugin.name);
  for (size_t i = 0; component && i < component->parameter_count; ++i)
    if (const auto& p = component->parameters[i]; p.type == ASSAY_PATH && given.contains(p.name))
      given[p.name] = (folder / given[p.name].get<std::string>()).string();
  return given;
}

class Tree : public ::testing::TestWithParam<Plugin> {};

TEST_P(Tree, Conforms) {
  const auto& plugin = GetParam();
  ASSERT_NE(registry().find(plugin.kind, plugin.name), nullptr);
  size_t properties = 0;
  check_component(registry(), plugin.kind, plugin.name, given_to(plugin),
                  {{}, [&](const Finding& finding) {
                     ++properties;
                     EXPECT_EQ(finding.fault, "") << finding.component << ": " << finding.property;
                   }});
  EXPECT_GE(properties, 3U);
}

INSTANTIATE_TEST_SUITE_P(Plugins, Tree, ::testing::ValuesIn(plugins_of_the_tree()),
                         [](const auto& info) { return info.param.kind + "_" + info.param.name; });

}  // namespace
}  // namespace assay::check
