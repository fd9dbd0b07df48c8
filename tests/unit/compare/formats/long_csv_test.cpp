// The values of every run as comma-separated values, from records and events with known numbers.
#include "compare/formats/long_csv.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "unit/compare/results_builder.h"

namespace assay::compare {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LongCsv : public ::testing::Test {
 protected:
  LongCsv() {
    results_.finished({.scheme = "alibi"}, {{64, 2.25}, {128, "Infinity"}, {256, "-Infinity"}, {512, nullptr}});
    results_.finished({.scheme = "none", .seed = 2, .training_code = "0d"}, {{64, 2.5}, {512, "n/a"}});
    results_.plan({.scheme = "t5"});
  }
  Results read() const { return read_results(results_.experiment(), "c0de000000000001"); }
  testing::ResultsBuilder results_;
};

TEST_F(LongCsv, OneLinePerMetricOfEachRecord) {
  const auto text = metrics_csv(read());
  EXPECT_THAT(text, ::testing::StartsWith("label,positional,seed,train_id,metric,value,unit,direction,stale\n"));
  for (const char* line : {"\npositional=alibi,alibi,1,alibi1,lm.bits_per_byte@length=64,2.25,bits/byte,lower,0\n",
                           "\npositional=alibi,alibi,1,alibi1,lm.bits_per_byte@length=128,inf,bits/byte,lower,0\n",
                           "\npositional=alibi,alibi,1,alibi1,lm.bits_per_byte@length=256,-inf,bits/byte,lower,0\n",
                           "\npositional=alibi,alibi,1,alibi1,lm.bits_per_byte@length=512,NaN,bits/byte,lower,0\n",
                           "\npositional=alibi,alibi,1,alibi1,train.loss,1.5,nats,lower,0\n",
                           "\npositional=alibi,alibi,1,alibi1,train.parameters,347136,,,0\n",
                           "\npositional=alibi,alibi,1,alibi1,train.tokens_per_second,1000,,,0\n",
                           "\npositional=none,none,2,none2,lm.bits_per_byte@length=64,2.5,bits/byte,lower,1\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("none2,lm.bits_per_byte@length=512")));  // the model cannot be evaluated there
  EXPECT_THAT(text, Not(HasSubstr("t5")));                                 // no record yet
}

TEST_F(LongCsv, OneLinePerValueOfTheEventsInForce) {
  base::write_atomically(results_.experiment().run("alibi1").events(),
                         R"({"attempt":1,"type":"start"}
{"attempt":1,"type":"step","step":10,"loss":3.5,"lr":0.1,"grad_norm":null,"tokens":640,"metrics":{"mle.accuracy":0.25},"measured":{"tokens_per_second":100.5}}
{"attempt":1,"type":"step","step":20,"loss":9,"lr":0.1}
{"attempt":2,"type":"start","from":10}
{"attempt":2,"type":"step","step":20,"loss":2.5}
{"attempt":2,"type":"evaluate","step":20,"label":"lm","metrics":[{"name":"nll","value":1.25,"coordinates":{"length":64,"stride":32}},{"name":"nll","value":null,"coordinates":{"length":512}},{"name":"perplexity","value":"Infinity","coordinates":{"length":64}}]}
{"attempt":2,"type":"end","measured":{"seconds":2}}
)");
  const std::string run = "positional=alibi,alibi,1,alibi1,";
  EXPECT_EQ(curves_csv(read(), results_.experiment()),
            "label,positional,seed,train_id,step,metric,value\n" + run + "10,train.loss,3.5\n" + run +
                "10,train.lr,0.1\n" + run + "10,train.tokens,640\n" + run + "10,train.mle.accuracy,0.25\n" + run +
                "10,train.tokens_per_second,100.5\n" + run + "20,train.loss,2.5\n" + run +
                "20,\"lm.nll@length=64,stride=32\",1.25\n" + run + "20,lm.perplexity@length=64,inf\n");
}

}  // namespace
}  // namespace assay::compare
