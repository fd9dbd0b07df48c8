// From JSON to a component's Config, children first; and all possible errors.
#include "loader/instances.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "assay/objective.h"
#include "assay/positional.h"
#include "fixtures/plugins/report.h"
#include "unit/loader/fixture_files.h"

namespace assay::loader {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::fixture;
using testing::good_plugin;
using ::testing::HasSubstr;
using testing::Report;

const Registry& registry() {
  static const auto* made = new Registry(
      {testing::fixture("every_parameter"), testing::fixture("throws_in_create"), testing::fixture("old_kind"),
       testing::fixture("throws_in_hook"), testing::fixture("wrong_kind"), testing::fixture("wrong_child"),
       testing::good_plugin("alibi"), testing::good_plugin("none"), testing::good_plugin("gpt")});
  return *made;
}

// Returns the error of creating `given`; "" when there is none.
template <class Error, class Kind = Report>
std::string refusal(const json& given) {
  Instances instances(registry());
  try {
    instances.create<Kind>(given, "here");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

json every(const json& parameters) {
  json table = parameters;
  table["use"] = "every";
  table.emplace("needed", 1);
  return table;
}

TEST(Instances, DefaultsComeFromTheConfig) {
  Instances instances(registry());
  EXPECT_EQ(instances.create<Report>(every({}), "here").text(),
            "a_bool=true\nan_int=-3\na_real=0.10000000000000001\na_string='plain'\nbools=[true,false]\nints=[1,2]\n"
            "reals=[0.5]\nstrings=['x','']\nduration=5 of '%'\npath='' is ''\nrun='' is ''\nchild=leaf\n"
            "no_child=nobody\nchildren=[]\nneeded=1\n");
}

TEST(Instances, EveryTypeIsPassed) {
  Instances instances(registry());
  const auto given = every(json::parse(R"({"a_bool": false, "an_int": 9007199254740993, "a_real": -1.5e-300,
      "a_string": "fancy \"é\"", "bools": [], "ints": [-9223372036854775808, 9223372036854775807], "reals": [1, 0.25],
      "strings": ["", "a b"], "duration": "2e6 tokens", "path": {"path": "/data/x", "sha256": "ab", "name": "x"},
      "run": {"path": "/runs/y", "sha256": "cd"}, "child": null, "no_child": "leaf",
      "children": [{"use": "leaf", "says": "one"}, "leaf", {"use": "every", "needed": 2, "child": "leaf"}],
      "needed": 7})"));
  const auto text = instances.create<Report>(given, "here").text();
  EXPECT_THAT(text, HasSubstr("a_bool=false\nan_int=9007199254740993\na_real=-1.5000000000000001e-300\n"
                              "a_string='fancy \"é\"'\nbools=[]\nints=[-9223372036854775808,9223372036854775807]\n"
                              "reals=[1,0.25]\nstrings=['','a b']\nduration=2000000 of 'tokens'\n"
                              "path='/data/x' is 'ab'\nrun='/runs/y' is 'cd'\nchild=nobody\nno_child=leaf\n"
                              "children=[one,leaf,a_bool=true\n"));
  EXPECT_THAT(text, ::testing::EndsWith("needed=2\n]\nneeded=7\n"));
}

// A plan line contains a run like this when none is named.
TEST(Instances, ARunMayBeOmitted) {
  Instances instances(registry());
  EXPECT_THAT(instances.create<Report>(every({{"run", nullptr}}), "here").text(), HasSubstr("run='' is ''\n"));
}

TEST(Instances, ChildrenAreCreatedFirstKnowTheirPathAndOutliveTheirParent) {
  std::vector<std::string> ends;
  {
    Instances instances(registry());
    auto& made = instances.create<Report>(
        every({{"child", {{"use", "leaf"}, {"says", "a"}}}, {"children", {{{"use", "leaf"}, {"says", "b"}}, "leaf"}}}),
        "top");
    made.report_end_to(&ends);
    std::vector<std::string> places;
    for (const auto* component : instances.all()) places.push_back(component->identity().instance);
    EXPECT_THAT(places, ElementsAre("top.child", "top.children.0", "top.children.1", "top"));
    const auto& identity = made.identity();
    EXPECT_EQ(identity.plugin + "/" + identity.kind + "/" + identity.name, "every_parameter/report/every");
  }
  EXPECT_THAT(ends, ElementsAre("every with a[b,leaf]", "leaf", "b", "a"));
}

TEST(Instances, DurationForms) {
  const std::pair<const char*, const char*> good[] = {{"100 steps", "100 of 'steps'"},
                                                      {"1step", "1 of 'steps'"},
                                                      {"2e6 tokens", "2000000 of 'tokens'"},
                                                      {"5%", "5 of '%'"},
                                                      {"2.5 %", "2.5 of '%'"},
                                                      {"0 steps", "0 of 'steps'"}};
  for (const auto& [given, got] : good) {
    Instances instances(registry());
    EXPECT_THAT(instances.create<Report>(every({{"duration", given}}), "here").text(),
                HasSubstr(std::string("duration=") + got + "\n"))
        << given;
  }
  for (const char* bad : {"", "steps", "%", "100", "100 stops", "100 steps more", "five steps", "5 %%", "nan steps",
                          "inf tokens", "1.5 steps", "-3 steps", "0x10 steps"})
    EXPECT_THAT(refusal<UserError>(every({{"duration", bad}})), HasSubstr("is not a valid duration (\"100 steps\""))
        << bad;
}

TEST(Instances, WrongTypesNameTheParameterAndTheValue) {
  const std::pair<const char*, json> cases[] = {{"a_bool", 1},
                                                {"a_bool", "true"},
                                                {"an_int", "3"},
                                                {"an_int", 1.5},
                                                {"an_int", true},
                                                {"a_real", "0.1"},
                                                {"a_real", false},
                                                {"a_string", 4},
                                                {"bools", {1}},
                                                {"ints", 3},
                                                {"ints", {1, 2.5}},
                                                {"ints", {{"a", 1}}},
                                                {"reals", "1"},
                                                {"reals", {"1"}},
                                                {"strings", "abc"},
                                                {"strings", {1}},
                                                {"duration", 100},
                                                {"path", 3},
                                                {"path", {{"file", "x"}}},
                                                {"child", 3},
                                                {"child", json::array()},
                                                {"children", "leaf"},
                                                {"children", {3}},
                                                {"needed", nullptr}};
  for (const auto& [name, value] : cases) {
    const auto words = refusal<UserError>(every({{name, value}}));
    EXPECT_THAT(words, AllOf(HasSubstr(std::string("here.") + name), HasSubstr("wrong type")));
    const auto shown = value.is_array() && !value.empty() ? "has the" : value.dump();  // an element, if one is invalid
    EXPECT_THAT(words, HasSubstr(shown));
  }
}

TEST(Instances, WrongNames) {
  EXPECT_EQ(refusal<UserError>(every({{"a_reel", 1}})), "here: unknown parameter 'a_reel' of report 'every'");
  EXPECT_EQ(refusal<UserError>({{"use", "every"}}), "here.needed: the parameter is required, but not given");
  EXPECT_EQ(refusal<UserError>("nobody"), "here: no plugin provides report 'nobody'; run 'assay plugins' to list all");
  EXPECT_EQ(refusal<UserError>("none"),
            "here: no plugin provides report 'none' (a component of kind positional has this name); run 'assay "
            "plugins' to list all");
  EXPECT_EQ((refusal<UserError, Positional>("wrong_child")),
            "here.inner: no plugin provides objective 'alibi' (a component of kind positional has this name); "
            "run 'assay plugins' to list all");
  EXPECT_EQ(refusal<UserError>(every({{"child", {{"use", "leaf"}, {"say", 1}}}})),
            "here.child: unknown parameter 'say' of report 'leaf'");
  for (const json& given : {json(3), json::array(), json::object(), json(nullptr)})
    EXPECT_THAT(refusal<UserError>(given), AllOf(HasSubstr("here"), HasSubstr("\"use\""))) << given;
}

TEST(Instances, WhatCreateThrowsNamesPluginAndComponent) {
  EXPECT_EQ((refusal<PluginError, Positional>("throws_in_create")),
            "plugin 'throws_in_create', component 'throws_in_create', hook 'create': "
            "the constructor did not like the weather");
  EXPECT_EQ((refusal<PluginError, Positional>("throws_number_in_create")),
            "plugin 'throws_in_create', component 'throws_number_in_create', hook 'create': "
            "threw something that is not a std::exception");
  EXPECT_EQ(refusal<PluginError>(every({{"children", {every({{"needed", -1}})}}})),
            "plugin 'every_parameter', component 'every', hook 'create': needed is negative");
}

TEST(Instances, AComponentOfAChangedKindIsNotCalled) {
  EXPECT_THAT(
      (refusal<PluginError, Positional>("old_kind")),
      AllOf(HasSubstr("plugin 'old_kind', component 'old_kind'"), HasSubstr("another version of the kind 'positional'"),
            HasSubstr("feedfacefeedface"), HasSubstr(Positional::kKindHash)));
}

TEST(Instances, AComponentThatIsNotOfItsKindIsNotCalled) {
  EXPECT_EQ((refusal<PluginError, Objective>("wrong_kind")),
            std::string("plugin 'wrong_kind', component 'wrong_kind', hook 'load': the plugin was built for another "
                        "version of the kind 'objective' (header ") +
                Positional::kKindHash + ", here " + Objective::kKindHash + "); rebuild it");
}

TEST(Instances, AHooksExceptionIsGuarded) {
  Instances instances(registry());
  const auto& exception = instances.create<Positional>({{"use", "throws_in_hook"}, {"calls", 1}}, "p");
  const auto& number = instances.create<Positional>({{"use", "throws_in_hook"}, {"thrown", "number"}}, "q");
  const auto call = [](const Positional& one) -> std::string {
    try {
      guard(one, "attention_bias", [&] { return one.attention_bias({}); });
    } catch (const PluginError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(call(exception), "");
  EXPECT_EQ(call(exception),
            "plugin 'throws_in_hook', component 'throws_in_hook', hook 'attention_bias': call 2 was one too many");
  EXPECT_EQ(call(number),
            "plugin 'throws_in_hook', component 'throws_in_hook', hook 'attention_bias': "
            "threw something that is not a std::exception");
}

}  // namespace
}  // namespace assay::loader
