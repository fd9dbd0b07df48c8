// Arbitrary bytes never do more than end planning with a UserError. Seeds are fixed, so the test is deterministic.
#include <gmock/gmock.h>

#include <random>
#include <regex>

#include "base/files.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using Robustness = PlanTest;

// Returns true when there was a plan; any exception but UserError fails the test (and a crash ends it).
bool survives(const std::string& file, const std::string& text) {
  try {
    return !plan::make_plan({file, {}, ""}).lines.empty();
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

TEST_F(Robustness, RandomTokensOfTheLanguage) {
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
  const auto valid = base::read_file(source_folder() / "tests/cli/good/quickstart.toml");
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

// Words, strings and symbols of a valid file are dropped, doubled, swapped or replaced by others.
TEST_F(Robustness, MutationsOfItsTokens) {
  const auto valid = base::read_file(source_folder() / "tests/cli/good/quickstart.toml");
  const std::regex token(R"re("[^"]*"|[A-Za-z0-9_.+-]+|\s+|.)re");
  const std::vector<std::string> tokens(std::sregex_token_iterator(valid.begin(), valid.end(), token), {});
  ASSERT_GT(tokens.size(), 200u);
  std::mt19937 draws(4);
  int plans = 0;
  for (int i = 0; i < 1500; ++i) {
    auto mutated = tokens;
    for (size_t n = 1 + draws() % 3; n-- > 0;) {
      const size_t at = draws() % mutated.size(), from = draws() % mutated.size();
      const auto word = mutated[from];
      const auto place = mutated.begin() + static_cast<std::ptrdiff_t>(at);
      switch (draws() % 4) {
        case 0:
          mutated.erase(place);
          break;
        case 1:
          mutated.insert(place, word);
          break;
        case 2:
          std::swap(mutated[at], mutated[from]);
          break;
        default:
          mutated[at] = word;
      }
    }
    std::string text;
    for (const auto& word : mutated) text += word;
    plans += survives(write("x.toml", text), text);
  }
  EXPECT_GT(plans, 50);
}

TEST_F(Robustness, InvalidBytesAndNumbers) {
  const std::string longest(1 << 20, 'a');
  for (const auto& value :
       {std::string("\"\xff\xfe\""), std::string("\"a\0b\"", 5), std::string("\xc3"), std::string("\0", 1),
        std::string(400, '9'), std::string("-9223372036854775809"), std::string("1e999"),
        std::string("0x8000000000000000"), "\"" + longest + "\"", "\"= " + std::string(1 << 16, '(') + "\"",
        "\"= " + std::string(400, '9') + "\"", std::string("\"\\uD800\""), std::string("\"\\u0000\"")}) {
    EXPECT_NE(errors(kSmall + "[resources]\nthreads = " + value + "\n"), "no error") << value.substr(0, 80);
    EXPECT_NE(errors(kSmall + value + " = 1\n"), "no error") << value.substr(0, 80);
    EXPECT_NE(errors(kSmall, {"optimizer.lr=" + value}), "no error") << value.substr(0, 80);
  }
  EXPECT_EQ(errors(kSmall + "# " + longest + "\n"), "no error");
  EXPECT_EQ(errors("\xef\xbb\xbf" + kSmall), "no error");  // a byte order mark, as some editors write it
}

TEST_F(Robustness, ParentsThatAreNotFiles) {
  write("experiments/folder/x.toml", "");
  for (const char* parent : {".", "..", "folder", "test.toml", "./folder/../test.toml", "/dev/null", "/dev/zero", "",
                             "nowhere.toml", "\\u0000"})
    EXPECT_THAT(errors("extends = [\"" + std::string(parent) + "\"]\n" + kSmall), ::testing::HasSubstr("'extends'"))
        << parent;
}

TEST_F(Robustness, DeepNestingIsAnError) {
  std::string dotted = "a";
  for (int i = 0; i < 5000; ++i) dotted += ".a";
  EXPECT_NE(errors(dotted + " = 1\n"), "no error");
  EXPECT_NE(errors("\"" + dotted + "\" = 1\n"), "no error");
  EXPECT_NE(errors("a = " + std::string(5000, '[')), "no error");
}

}  // namespace
}  // namespace assay::testing
