#include "compare/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "unit/temporary_folder.h"

namespace assay {
namespace {

TEST(CompareSettings, ComeBackAsTheyWere) {
  const testing::TemporaryFolder folder;
  const std::string text =
      R"({"baseline":{"optimizer.lr":{"min":0.001},"positional":["alibi","none"]},"metrics":["lm.bits_per_byte@length=64"]})"
      "\n";
  const auto settings = read_saved_compare_settings(folder.write("compare.json", text));
  EXPECT_EQ(settings.metrics.at(0).name, "lm.bits_per_byte@length=64");
  ASSERT_EQ(settings.baseline->terms.size(), 2u);
  EXPECT_EQ(settings.baseline->terms[0].path, (config::KeyPath{"optimizer", "lr"}));
  EXPECT_EQ(settings.baseline->terms[1].path, (config::KeyPath{"model", "positional"}));
  EXPECT_EQ(compare_settings_text(settings), text);
}

TEST(CompareSettings, AbsentAndSpoiltFiles) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(read_saved_compare_settings(folder / "none").metrics.empty());
  EXPECT_FALSE(read_saved_compare_settings(folder.write("a", "{\"metrics\":[]}")).baseline);
  for (const char* text : {"", "{}", "[]", "{\"metrics\":[1]}"})
    EXPECT_THROW(read_saved_compare_settings(folder.write("b", text)), UserError) << text;
}

}  // namespace
}  // namespace assay
