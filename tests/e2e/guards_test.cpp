// What a run says of data that is too short, gone or not what was planned; and that short documents are no obstacle.
#include <gmock/gmock.h>

#include <fstream>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Guards : public testing::Programs {
 protected:
  // The planned run once more, by the worker itself: the controller would plan again.
  int work_again() {
    const auto run = experiment().run(plan()[0]["train_id"]);
    fs::remove(run.train_record());
    fs::remove(run.weights());
    const auto command = "'" + (testing::build_folder() / "bin/assay-worker").string() + "' run --plan '" +
                         experiment().plan().string() + "' --run " + plan()[0]["train_id"].get<std::string>() +
                         " --results '" + experiment().folder().string() + "' 2>'" + (folder_ / "err").string() + "'";
    const int status = std::system(command.c_str());
    err_ = read_file(folder_ / "err");
    return WEXITSTATUS(status);
  }
};

TEST_F(Guards, ACorpusShorterThanOneContext) {
  write_experiment();
  folder_.write("corpus.txt", "one line\nand another\nand a third\n");
  ASSERT_EQ(call("run experiments/tiny.toml data.context=512"), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED"), HasSubstr("fewer than one context of 512"),
                          HasSubstr("use more text or a smaller data.context")));
  EXPECT_EQ(read_json(experiment().run(plan()[0]["train_id"]).state())["class"], "user");
}

TEST_F(Guards, ASplitWithoutText) {
  write_experiment();
  folder_.write("corpus.txt", "");
  ASSERT_EQ(call("run experiments/tiny.toml"), 1);
  EXPECT_THAT(err_, HasSubstr("FAILED"));
  EXPECT_EQ(read_json(experiment().run(plan()[0]["train_id"]).state())["class"], "user");
}

// Documents are packed one after another, so a context may be longer than any of them.
TEST_F(Guards, AContextLongerThanEveryDocument) {
  write_experiment();
  std::string text;
  for (int i = 0; i < 200; ++i) text += "paragraph " + std::to_string(i) + "\n\n";
  folder_.write("corpus.txt", text);
  ASSERT_EQ(call("run experiments/tiny.toml data.dataset.document=\"paragraph\" data.context=128"), 0) << err_;
}

TEST_F(Guards, DataThatIsNotWhatWasPlanned) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  std::ofstream(folder_ / "corpus.txt", std::ios::app) << "one more line\n";
  EXPECT_EQ(work_again(), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("corpus.txt: changed since the plan was made"), HasSubstr("plan again")));
  fs::remove(folder_ / "corpus.txt");
  EXPECT_EQ(work_again(), 1);
  EXPECT_THAT(err_, HasSubstr("corpus.txt: is gone since the plan was made"));
}

}  // namespace
}  // namespace assay
