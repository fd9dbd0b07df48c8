// A folder holds every bad plugin fixture and one good plugin: assay lists them all, reports what is wrong with the bad
// ones, and plans and runs with the good one.
#include <elf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstring>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class BadPlugins : public testing::Programs {
 protected:
  BadPlugins() {
    fs::create_directories(folder_ / "mixed/folder.so");
    fs::create_symlink(folder_ / "gone", folder_ / "mixed/link.so");
    EXPECT_EQ(::mkfifo((folder_ / "mixed/pipe.so").c_str(), 0600), 0);
    const auto good = base::read_file(testing::good_plugin("none"));
    auto other_machine = good, any_tag = good;
    other_machine[EI_CLASS] = ELFCLASS32;
    for (size_t at = 0; (at = any_tag.find("assay_abi_api", at)) != std::string::npos; ++at)
      any_tag[at + std::strlen("assay_abi_a")] = '\xff';
    folder_.write("mixed/empty.so", "");
    folder_.write("mixed/text.so", "INPUT(libc.so.6)\n");
    folder_.write("mixed/cut.so", good.substr(0, good.size() / 2));
    folder_.write("mixed/other_machine.so", other_machine);
    folder_.write("mixed/any_tag.so", any_tag);
    for (const char* name : {"forgets_its_entry", "not_a_plugin", "other_abi", "old_kind", "same_name_twice",
                             "throws_in_create", "throws_in_describe", "undefined_symbol", "wrong_child", "wrong_kind"})
      fs::copy_file(testing::fixture(name), folder_ / "mixed" / (std::string(name) + ".so"));
  }
};

TEST_F(BadPlugins, AreListedWithTheirReasons) {
  ASSERT_EQ(call("plugins --plugin-path mixed"), 0) << err_;
  const auto file = [&](const std::string& name) { return (fs::canonical(folder_.path()) / "mixed" / name).string(); };
  for (const auto& [name, words] : std::map<std::string, std::string>{
           {"any_tag.so", "the plugin was built for another version of assay ("},
           {"cut.so", "the file is a corrupt shared library (its section table is outside the file)"},
           {"empty.so", "the file is not a shared library (it has no ELF header)"},
           {"folder.so", "the file is not a regular file\n"},
           {"forgets_its_entry.so", "the file has an ABI tag but no symbol 'assay_plugin'"},
           {"link.so", "the file is not a regular file\n"},
           {"not_a_plugin.so", "the file is not an assay plugin (it has no ABI tag)"},
           {"other_abi.so", "the plugin was built for another version of assay (api: plugin 0"},
           {"other_machine.so", "the file is a shared library for another architecture; it must be x86-64"},
           {"pipe.so", "the file is not a regular file\n"},
           {"same_name_twice.so", "the plugin has two components named 'twin' of kind 'positional'"},
           {"text.so", "the file is not a shared library (it has no ELF header)"},
           {"throws_in_describe.so",
            "the plugin cannot describe its components, because its describe() throws an exception"},
           {"undefined_symbol.so", "the file cannot be loaded: "}})
    EXPECT_THAT(out_, HasSubstr("refused: " + file(name) + ": " + words));
  EXPECT_THAT(out_, AllOf(HasSubstr("positional/alibi"), HasSubstr("model/gpt"), HasSubstr("positional/old_kind"),
                          HasSubstr("positional/throws_in_hook"), Not(HasSubstr("positional/twin"))));
  EXPECT_FALSE(fs::exists(marker_));  // other_abi leaves it when its code runs
}

TEST_F(BadPlugins, DoNotAffectRunsOfGoodPlugins) {
  write_experiment("[[sweep]]\n[sweep.grid]\npositional = [\"none\", \"alibi\"]\n");
  ASSERT_EQ(call("run experiments/tiny.toml --plugin-path mixed"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("2 done"));
}

TEST_F(BadPlugins, OfTheWrongKindAreReportedBeforeAnyRunStarts) {
  write_experiment();
  const std::pair<const char*, const char*> cases[] = {
      {"positional=mle", "unknown positional 'mle'"},
      {"positional=mle", "'mle' is an objective"},
      {"positional=wrong_child", "unknown objective 'alibi'"},
      {"positional=wrong_child", "'alibi' is a positional"},
      {"optimizer.use=wrong_kind", "'wrong_kind' is an objective"},
      {"objective=[\"wrong_kind\"]",
       "hook 'load': the plugin was built for another version of the kind 'objective' (header "},
      {"positional=old_kind",
       "hook 'load': the plugin was built for another version of the kind 'positional' (header feedfacefeedface, "
       "here "}};
  for (const auto& [word, message] : cases) {
    EXPECT_EQ(call("run experiments/tiny.toml --plugin-path mixed '" + std::string(word) + "'"), 2) << word;
    EXPECT_THAT(err_, HasSubstr(message)) << word;
  }
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

}  // namespace
}  // namespace assay
