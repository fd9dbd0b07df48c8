// Loading plugins: a bad file does not affect its folder, and the good ones are described.
#include "loader/registry.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "record/build_id.h"
#include "unit/loader/fixture_files.h"
#include "unit/temporary_folder.h"

namespace assay::loader {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::fixture;
using testing::fixture_folder;
using testing::good_plugin;
using ::testing::HasSubstr;

TEST(Registry, OneBadFileDoesNotAffectItsFolder) {
  const testing::TemporaryFolder folder;
  for (const char* bad : {"undefined_symbol", "not_a_plugin", "other_abi", "throws_in_describe"})
    fs::copy_file(testing::fixture(bad), folder / (std::string(bad) + ".so"));
  folder.write("broken.so", "no library");
  folder.write("readme.txt", "not looked at");
  fs::copy_file(testing::good_plugin("alibi"), folder / "alibi.so");
  fs::copy_file(testing::good_plugin("none"), folder / "zero.so");

  const Registry registry(plugin_files({folder.path()}));
  std::vector<std::string> loaded, refused;
  for (const auto& file : registry.files()) (file.plugin ? loaded : refused).push_back(file.file.filename());
  EXPECT_THAT(loaded, ElementsAre("alibi.so", "zero.so"));
  EXPECT_THAT(refused, ElementsAre("broken.so", "not_a_plugin.so", "other_abi.so", "throws_in_describe.so",
                                   "undefined_symbol.so"));
  EXPECT_NE(registry.find("positional", "alibi"), nullptr);
  EXPECT_NE(registry.find("positional", "none"), nullptr);
  EXPECT_EQ(registry.find("objective", "alibi"), nullptr);
}

// Files that cannot be read, each in its own way.
TEST(Registry, UnreadableFilesDoNotAffectTheirFolder) {
  const testing::TemporaryFolder folder;
  fs::create_symlink("loop.so", folder / "loop.so");
  fs::create_symlink("/proc/self/mem", folder / "memory.so");
  fs::create_directories(folder / "folder.so");
  folder.write("sparse.so", "");
  fs::resize_file(folder / "sparse.so", std::uintmax_t{1} << 40);
  fs::copy_file(testing::good_plugin("alibi"), folder / "zz.so");
  const Registry registry(plugin_files({folder.path()}));
  ASSERT_EQ(registry.files().size(), 5U);
  std::map<std::string, std::string> errors;
  for (const auto& file : registry.files()) errors[file.file.filename()] = file.error;
  EXPECT_EQ(errors["loop.so"], "the file is not a regular file");
  EXPECT_EQ(errors["folder.so"], "the file is not a regular file");
  EXPECT_NE(errors["memory.so"], "");
  EXPECT_EQ(errors["sparse.so"], "the file is larger than 1 GiB, the maximum size of a plugin");
  EXPECT_EQ(errors["zz.so"], "");
  EXPECT_NE(registry.find("positional", "alibi"), nullptr);
}

TEST(Registry, RefusalsNameTheCause) {
  const Registry registry({testing::fixture("undefined_symbol"), testing::fixture("same_name_twice"),
                           testing::fixture("throws_in_describe"), testing::fixture("forgets_its_entry"),
                           "/nowhere/at_all.so", testing::fixture("reserved_parameter")});
  const auto& files = registry.files();
  for (const auto& file : files) EXPECT_EQ(file.plugin, nullptr) << file.file;
  EXPECT_THAT(files[0].error, AllOf(HasSubstr("undefined symbol"), HasSubstr("assay_fixture_function_of_nobody")));
  EXPECT_EQ(files[1].error, "the plugin has two components named 'twin' of kind 'positional'");
  EXPECT_THAT(files[2].error, HasSubstr("describe() throws an exception"));
  EXPECT_EQ(files[3].error, "the file has an ABI tag but no symbol 'assay_plugin'");
  EXPECT_EQ(files[4].error, "the file is not a regular file");
  EXPECT_EQ(files[5].error,
            "positional 'weighted' has a parameter 'weight', which is a reserved key of experiment files; rename it");
  EXPECT_EQ(registry.find("positional", "twin"), nullptr);
}

TEST(Registry, OfEqualNamesTheFirstFolderWins) {
  const testing::TemporaryFolder folder;
  fs::copy_file(testing::good_plugin("none"), folder / "zz.so");
  const auto files = plugin_files({folder.path(), testing::good_plugin("none").parent_path(), "/nowhere"});
  const Registry registry(files);
  const PluginFile* from = nullptr;
  ASSERT_NE(registry.find("positional", "none", &from), nullptr);
  EXPECT_EQ(from->file, folder / "zz.so");
  EXPECT_TRUE(std::is_sorted(files.begin() + 1, files.end()));
}

json parameter(const json& component, const std::string& name) {
  for (const auto& one : component.at("parameters"))
    if (one.at("name") == name) return one;
  return nullptr;
}

// The order of a plan's files does not say which of two has the planned component.
TEST(Registry, AChosenFileTakesPrecedence) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"a.so", "b.so"}) fs::copy_file(testing::good_plugin("alibi"), folder / name);
  Registry registry(plugin_files({folder.path()}));
  const PluginFile* file = nullptr;
  ASSERT_NE(registry.find("positional", "alibi", &file), nullptr);
  EXPECT_EQ(file->file.filename(), "a.so");
  registry.choose("positional/alibi", folder / "b.so");
  ASSERT_NE(registry.find("positional", "alibi", &file), nullptr);
  EXPECT_EQ(file->file.filename(), "b.so");
  registry.choose("positional/alibi", folder / "c.so");
  EXPECT_EQ(registry.find("positional", "alibi"), nullptr);
}

TEST(Registry, DescriptorsMatchThePlugin) {
  const auto file = testing::fixture("every_parameter");
  const auto described = Registry({file, testing::fixture("not_a_plugin")}).describe();
  const auto& plugin = described.at(0);
  EXPECT_EQ(plugin.at("file"), file.string());
  EXPECT_EQ(plugin.at("sha256"), base::sha256_of_file(file));
  EXPECT_EQ(plugin.at("build_id"), record::build_id_of_file(file));
  EXPECT_EQ(plugin.at("ok"), true);
  EXPECT_EQ(plugin.at("name"), "every_parameter");
  EXPECT_EQ(plugin.at("version"), "0.3.0");
  const auto& every = plugin.at("components").at(0);
  EXPECT_EQ(every.at("kind"), "report");
  EXPECT_EQ(every.at("kind_hash"), "of the tests");
  EXPECT_EQ(every.at("name"), "every");
  EXPECT_EQ(every.at("doc"), "One parameter of each type.");
  EXPECT_EQ(every.at("paper"), "none");
  EXPECT_EQ(plugin.at("components").at(1).at("name"), "leaf");

  const json expected = json::parse(R"([
    ["a_bool", "bool", true, null, null], ["an_int", "int", -3, -10, 10], ["a_real", "real", 0.1, 0, null],
    ["a_string", "string", "plain", null, null], ["bools", "bools", [true, false], null, null],
    ["ints", "ints", [1, 2], 0, 9], ["reals", "reals", [0.5], null, null],
    ["strings", "strings", ["x", ""], null, null], ["duration", "duration", "5%", null, null],
    ["path", "path", "", null, null], ["run", "run", "", null, null], ["child", "child", "leaf", null, null],
    ["no_child", "child", "", null, null], ["children", "children", [], null, null],
    ["needed", "int", null, null, null]])");
  ASSERT_EQ(every.at("parameters").size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& one = every.at("parameters").at(i);
    EXPECT_EQ(json({one.at("name"), one.at("type"), one.at("default"), one.at("min"), one.at("max")}), expected[i]);
    EXPECT_EQ(one.at("doc"), std::to_string(i + 1));
    EXPECT_EQ(one.at("required"), i + 1 == expected.size());
    EXPECT_EQ(one.at("added"), one.at("name") == "a_real");
    EXPECT_EQ(one.at("child_kind"), i >= 11 && i <= 13 ? "report" : "");
  }
  EXPECT_EQ(parameter(every, "a_string").at("choices"), json({"plain", "fancy"}));
  EXPECT_EQ(parameter(every, "an_int").at("choices"), json::array());

  const auto& refused = described.at(1);
  EXPECT_EQ(refused.at("ok"), false);
  EXPECT_THAT(refused.at("error").get<std::string>(), HasSubstr("not an assay plugin"));
  EXPECT_FALSE(refused.contains("components"));
}

}  // namespace
}  // namespace assay::loader
