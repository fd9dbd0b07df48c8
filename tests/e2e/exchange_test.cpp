// A run's weights to Hugging Face's folder and back.
#include <gmock/gmock.h>

#include "e2e/programs.h"
#include "run/safetensors.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

class ExchangeVerbs : public testing::Programs {
 protected:
  std::string trained(const std::string& words) {
    write_experiment();
    EXPECT_EQ(call("run experiments/tiny.toml " + words), 0) << err_;
    return plan()[0]["train_id"];
  }
};

TEST_F(ExchangeVerbs, ThereAndBack) {
  const auto id = trained("'positional={use=\"learned\",positions=64}'");
  ASSERT_EQ(call("export " + id + " --to hf --out there"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("there/config.json"));
  const auto config = read_json(folder_ / "there/config.json");
  EXPECT_EQ(config["model_type"], "gpt2");
  EXPECT_EQ(config["vocab_size"], 257);
  ASSERT_EQ(call("import there --from hf --out back"), 0) << err_;
  const SafetensorsFile weights(experiment().run(id).weights()), back(folder_ / "back/weights.safetensors");
  ASSERT_EQ(back.names(), weights.names());
  for (const auto& name : weights.names()) EXPECT_TRUE(back.read(name).equal(weights.read(name))) << name;
  EXPECT_THAT(read_file(folder_ / "back/model.toml"), HasSubstr("positional = { positions = 64, use = \"learned\" }"));
  EXPECT_EQ(call("import there --from hf --out back"), 2);
  EXPECT_THAT(err_, HasSubstr("back: is there already"));
  EXPECT_EQ(call("export " + id + " --out other"), 2);
  EXPECT_THAT(err_, HasSubstr("--to is missing; there are hf"));
}

TEST_F(ExchangeVerbs, RefusesWhatHasNoLayout) {
  const auto id = trained("positional=\"rotary\"");
  EXPECT_NE(call("export " + id + " --to hf --out there"), 0);
  EXPECT_THAT(err_, HasSubstr("positional scheme 'rotary' has no layout there"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "there"));
}

}  // namespace
}  // namespace assay
