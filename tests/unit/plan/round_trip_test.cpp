// Any valid experiment, written in any order and form, has one identity; and the resolved values of a plan, written as
// an experiment again, give the same run. Configurations are drawn from the fixture's descriptors with fixed seeds.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/files.h"
#include "plan/identity.h"
#include "schema/descriptors.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;

constexpr int kTrees = 200;

class Trees {
 public:
  explicit Trees(unsigned seed) : draws_(seed) {}

  size_t below(size_t n) { return draws_() % n; }
  bool chance(size_t percent) { return below(100) < percent; }

  json experiment() {
    json tree;
    tree["data"] = {
        {"dataset", component("dataset")}, {"tokenizer", component("tokenizer")}, {"context", 1 + below(99)}};
    for (const char* kind : {"model", "optimizer", "scheduler"}) tree[kind] = component(kind);
    tree["objective"] = list("objective", "objective", 1);
    tree["transform"] = list("transform", "transform", 0);
    tree["evaluate"] = list("evaluate", "evaluator", 0);
    for (auto& entry : tree["evaluate"])
      if (chance(50)) entry["split"] = "test";
    const auto batch = 1 + below(64), steps = 1 + below(1000);
    tree["train"] = {{"batch", batch}};
    if (chance(50))
      tree["train"]["steps"] = steps;
    else
      tree["train"]["tokens"] = steps * batch * tree["data"]["context"].get<size_t>() + below(100);
    if (chance(50)) tree["train"]["clip_norm"] = real(0, 3);
    if (chance(50)) tree["train"]["precision"] = "fp64";
    tree["experiment"]["seeds"] = chance(50) ? json("0..2") : json{{"init", 7}, {"data", json{1, 5}}};
    if (chance(60)) tree["sweep"] = json::array({{{"grid", grid()}}});
    return tree;
  }

  std::string written(const json& tree, bool dotted) { return dotted ? dotted_form(tree) : table_form(tree); }

 private:
  // The ends of a range are drawn, too, and ints where reals are expected.
  json real(double from, double to) {
    if (chance(10)) return from;
    if (chance(10)) return static_cast<int64_t>(to);
    return from + (to - from) * static_cast<double>(draws_()) / 4294967296.0;
  }

  json scalar(const schema::Parameter& p, const std::string& type) {
    const double from = p.min.value_or(-100), to = p.max.value_or(1000);
    if (!p.choices.empty()) return p.choices[below(p.choices.size())];
    if (type == "bool") return chance(50);
    if (type == "int")
      return static_cast<int64_t>(from) + static_cast<int64_t>(below(static_cast<size_t>(to - from) + 1));
    if (type == "real") return p.max ? real(from, std::floor(to)) : real(from, to);
    if (type == "duration")
      return std::to_string(below(100)) + std::vector<std::string>{" steps", " tokens", "%"}[below(3)];
    if (type == "path") return "tiny";
    return "text \"" + std::to_string(below(10)) + "\" \\ = # ]";
  }

  json value(const schema::Parameter& p) {
    if (p.type == "child") return component(p.child_kind);
    if (!p.type.ends_with("s")) return scalar(p, p.type);
    auto items = json::array();
    for (size_t n = below(4); n-- > 0;) items.push_back(scalar(p, p.type.substr(0, p.type.size() - 1)));
    return items;
  }

  json component(const std::string& kind) {
    const auto names = catalogue_.names_of(kind);
    json made{{"use", names[below(names.size())]}};
    for (const auto& p : catalogue_.find(kind, made["use"]).component->parameters)
      if (p.required || chance(60)) made[p.name] = value(p);
    return made;
  }

  json list(const std::string& section, const std::string& kind, size_t least) {
    auto entries = json::array();
    for (size_t n = least + below(3); entries.size() < n;) {
      auto entry = component(kind);
      entry["label"] = section + std::to_string(entries.size());
      if (section == "objective" && chance(50)) entry["weight"] = real(0, 2);
      entries.push_back(entry);
    }
    return entries;
  }

  json grid() {
    json axes;
    if (chance(50)) axes["optimizer"]["lr"] = {0.125, 0.25 + static_cast<double>(below(9))};
    if (chance(50)) axes["optimizer"]["weight_decay"] = {{"log", {0.001, 0.1}}, {"n", 3}};
    if (chance(50)) axes["model"]["layers"] = {1 + below(9), 11};
    if (chance(50)) axes["positional"] = {"none", {{"use", "alibi"}, {"max_exponent", real(1, 64)}}};
    if (axes.is_null()) axes["train"]["batch"] = {1, 2, 3};
    return axes;
  }

  std::string space() { return std::string(below(3), ' '); }
  std::string line_end() { return std::vector<std::string>{"\n", " # a = 1\n", "\n\n", "\n# [x]\n"}[below(4)]; }

  std::vector<std::string> keys_of(const json& table) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : table.items()) keys.push_back(key);
    std::shuffle(keys.begin(), keys.end(), draws_);
    return keys;
  }

  std::string inline_value(const json& given) {
    if (!given.is_structured()) return given.dump();
    std::string text;
    if (given.is_array()) {
      for (const auto& item : given) text += (text.empty() ? "" : "," + line_end()) + space() + inline_value(item);
      return "[" + text + "]";
    }
    for (const auto& key : keys_of(given))
      text += (text.empty() ? "" : ",") + space() + key + space() + "= " + inline_value(given[key]);
    return "{" + text + " }";
  }

  std::string body(const json& table) {
    std::string text;
    for (const auto& key : keys_of(table))
      text += space() + key + space() + "=" + inline_value(table[key]) + line_end();
    return text;
  }

  std::string table_form(const json& tree) {
    std::string text;
    for (const auto& section : keys_of(tree)) {
      if (tree[section].is_object()) text += "[" + section + "]" + line_end() + body(tree[section]);
      for (const auto& entry : tree[section].is_array() ? tree[section] : json::array())
        text += "[[" + section + "]]" + line_end() + body(entry);
    }
    return text;
  }

  void add_dotted(const json& table, const std::string& prefix, std::vector<std::string>& lines) {
    for (const auto& [key, inner] : table.items()) {
      const auto path = prefix + key;
      if (inner.is_object() && prefix != "experiment.") {
        add_dotted(inner, path + ".", lines);
      } else {
        lines.push_back((prefix.empty() || chance(50) ? path : "\"" + path + "\"") + " = " + inline_value(inner) +
                        line_end());
      }
    }
  }

  std::string dotted_form(const json& tree) {
    std::vector<std::string> lines;
    add_dotted(tree, "", lines);
    std::shuffle(lines.begin(), lines.end(), draws_);
    std::string text;
    for (const auto& line : lines) text += line;
    return text;
  }

  std::mt19937 draws_;
  const schema::Catalogue catalogue_ =
      schema::parse_descriptors(base::read_file(source_folder() / "tests/fixtures/descriptors.json"), "fixture");
};

// Returns an experiment whose only run is the planned one.
json as_experiment(const record::PlanLine& line) {
  auto tree = line.train.to_json();
  const auto plain = [](const auto& self, json value) -> json {
    if (value.is_object() && value.contains("sha256")) return value.at("name");
    auto made = value.is_array() ? json::array() : json::object();
    if (!value.is_structured()) return value;
    for (const auto& [key, item] : value.items())
      if (value.is_array())
        made.push_back(self(self, item));
      else if (!item.is_null())
        made[key] = self(self, item);
    return made;
  };
  tree["objective"] = tree["objectives"];
  tree["transform"] = tree["transforms"];
  tree["experiment"]["seeds"] = tree["seeds"];
  for (const char* name : {"objectives", "transforms", "seeds"}) tree.erase(name);
  tree["evaluate"] = json::array();
  for (const auto& evaluation : line.evaluate) {
    auto entry = evaluation.config;
    entry["label"] = evaluation.label;
    entry["split"] = evaluation.split;
    tree["evaluate"].push_back(entry);
  }
  return plain(plain, tree);
}

// train id -> its canonical text and its evaluations' ids.
std::map<std::string, std::string> identities(const plan::Plan& plan) {
  std::map<std::string, std::string> found;
  for (const auto& line : plan.lines) {
    auto& text = found[line.train_id];
    text = plan::canonical_json(line.train.to_json());
    for (const auto& evaluation : line.evaluate) text += "\n" + evaluation.id;
  }
  return found;
}

class RoundTrip : public PlanTest {
 protected:
  // Empty, with a failure, when it cannot be planned.
  std::map<std::string, std::string> planned(const std::string& text) {
    try {
      return identities(plan(text));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\n" << text;
      return {};
    }
  }
};

TEST_F(RoundTrip, OrderWhitespaceCommentsAndFormAreNotPartOfIdentity) {
  std::set<std::string> different;
  for (int seed = 0; seed < kTrees; ++seed) {
    Trees trees(static_cast<unsigned>(seed));
    const auto tree = trees.experiment();
    const auto first = planned(trees.written(tree, false));
    ASSERT_FALSE(first.empty());
    for (const bool dotted : {false, true, true}) {
      const auto text = trees.written(tree, dotted);
      ASSERT_EQ(planned(text), first) << text;
    }
    different.insert(first.begin()->first);
  }
  EXPECT_EQ(different.size(), static_cast<size_t>(kTrees));  // each tree has its own identity
}

TEST_F(RoundTrip, ResolvedValuesGiveTheSameRun) {
  size_t runs = 0;
  for (int seed = 0; seed < kTrees; ++seed) {
    Trees trees(1000 + static_cast<unsigned>(seed));
    const auto made = plan(trees.written(trees.experiment(), false));
    for (size_t i = 0; i < made.lines.size(); i += 5) {
      const auto& line = made.lines[i];
      plan::Plan one;
      one.lines = {line};
      const auto text = trees.written(as_experiment(line), trees.chance(50));
      ASSERT_EQ(planned(text), identities(one)) << text;
      ASSERT_EQ(record::PlanLine::from_json(json::parse(line.text())).text(), line.text());
      ++runs;
    }
  }
  EXPECT_GT(runs, static_cast<size_t>(kTrees));
}

}  // namespace
}  // namespace assay::testing
