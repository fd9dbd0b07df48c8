// Words and their repetitions: number, length and alphabet as configured, and no word is in two splits.
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "assay/dataset.h"
#include "harness.h"

namespace assay::testing {
namespace {

TEST(Synthetic, DocumentsAreAWordTwice) {
  const auto data = make<Dataset>("synthetic", {{"letters", 8}, {"alphabet", 16}, {"train", 3000}, {"held_out", 200}});
  EXPECT_EQ(data->size(Split::kTrain), 3000);
  EXPECT_EQ(data->size(Split::kValidation), 200);
  EXPECT_EQ(data->size(Split::kTest), 200);
  std::map<char, int> letters;
  std::set<std::string> held_out, trained;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
    for (int64_t i = 0; i < data->size(split); ++i) {
      const auto text = data->document(split, i).text;
      ASSERT_EQ(text.size(), 17u);
      EXPECT_EQ(text[8], '|');
      EXPECT_EQ(text.substr(0, 8), text.substr(9));
      for (const char letter : text.substr(0, 8)) ++letters[letter];
      (split == Split::kTrain ? trained : held_out).insert(text);
    }
  ASSERT_EQ(letters.size(), 16u);
  EXPECT_EQ(letters.begin()->first, 'a');
  EXPECT_EQ(letters.rbegin()->first, 'p');
  const double mean = 3400 * 8 / 16.0;
  for (const auto& [letter, count] : letters) EXPECT_NEAR(count, mean, 5 * std::sqrt(mean)) << letter;
  EXPECT_EQ(trained.size(), 3000u);  // there are 16^8 words: none is repeated
  EXPECT_EQ(held_out.size(), 400u);
  for (const auto& text : held_out) EXPECT_FALSE(trained.count(text));
}

TEST(Synthetic, TheSeedDecidesTheWords) {
  const auto one = make<Dataset>("synthetic"), same = make<Dataset>("synthetic"),
             other = make<Dataset>("synthetic", {{"seed", 2}});
  EXPECT_EQ(one->document(Split::kTrain, 7).text, same->document(Split::kTrain, 7).text);
  EXPECT_NE(one->document(Split::kTrain, 7).text, other->document(Split::kTrain, 7).text);
}

}  // namespace
}  // namespace assay::testing
