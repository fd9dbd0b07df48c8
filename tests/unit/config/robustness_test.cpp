// No bytes, however wrong, do more to a plan than end it with an error for the user. Fixed seeds: every run is the
// same.
#include <random>

#include "record/files.h"
#include "unit/config/fixture.h"

namespace assay::config::testing {
namespace {

using Robustness = PlanTest;

// True when there was a plan; anything but UserError fails the test (and a crash ends it).
bool survives(const std::string& file, const std::string& text) {
  try {
    return !make_plan({file, {}, ""}).lines.empty();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()), "");
    return false;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << "\n" << text;
    return false;
  }
}

TEST_F(Robustness, RandomBytes) {
  std::mt19937 draws(1);
  for (int i = 0; i < 1000; ++i) {
    std::string text(draws() % 200, ' ');
    for (auto& c : text) c = static_cast<char>(draws());
    survives(write("x.toml", text), text);
  }
}

TEST_F(Robustness, RandomWordsOfTheLanguage) {
  const std::vector<std::string> words{"[model]",
                                       "\n",
                                       "use",
                                       "=",
                                       "\"gpt\"",
                                       "[[sweep]]",
                                       "[sweep.grid]",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       ".",
                                       "1",
                                       "-3",
                                       "1e308",
                                       "\"= model.width / 0\"",
                                       "positional",
                                       "\"alibi\"",
                                       "[[objective]]",
                                       "label",
                                       "enabled",
                                       "true",
                                       "log",
                                       "n",
                                       "extends",
                                       "keep",
                                       "remove",
                                       "seeds",
                                       "\"1..3\"",
                                       "train",
                                       "steps",
                                       "[experiment]",
                                       "[compare]",
                                       "baseline",
                                       "metrics",
                                       "'''",
                                       "#"};
  std::mt19937 draws(2);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (size_t n = draws() % 60; n-- > 0;) text += words[draws() % words.size()] + (draws() % 3 ? " " : "");
    survives(write("x.toml", text), text);
  }
}

TEST_F(Robustness, MutationsOfAValidFile) {
  const auto valid = read_file(source_folder() / "tests/cli/good/quickstart.toml");
  std::mt19937 draws(3);
  int plans = 0;
  for (int i = 0; i < 3000; ++i) {
    auto text = valid;
    for (size_t n = 1 + draws() % 3; n-- > 0;) {
      const size_t at = draws() % text.size(), length = draws() % 20, from = draws() % text.size();
      switch (draws() % 5) {
        case 0:
          text[at] = static_cast<char>(draws());
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(from, length));
          break;
        case 3:
          text[at] = "0123456789.=[]{}\"',"[draws() % 19];
          break;
        default:
          text.replace(at, length, text.substr(from, length));
      }
      if (text.empty()) text = " ";
    }
    plans += survives(write("x.toml", text), text);
  }
  EXPECT_GT(plans, 100);  // a letter in a comment or another number is still an experiment
}

TEST_F(Robustness, DeepNestingIsAnError) {
  std::string dotted = "a";
  for (int i = 0; i < 5000; ++i) dotted += ".a";
  EXPECT_NE(errors(dotted + " = 1\n"), "no error");
  EXPECT_NE(errors("\"" + dotted + "\" = 1\n"), "no error");
  EXPECT_NE(errors("a = " + std::string(5000, '[')), "no error");
}

}  // namespace
}  // namespace assay::config::testing
