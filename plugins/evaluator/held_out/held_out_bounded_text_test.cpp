// The text that evaluators encode of large data at plan time: enough for the checks, and never all of it.
#include <gmock/gmock.h>

#include "../bounded_text.h"
#include "assay/evaluator.h"
#include "harness.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One token per two bytes; counts the encoded bytes.
class Counting final : public Tokenizer {
 public:
  int64_t size() const override { return 1; }
  std::vector<int32_t> encode(std::string_view text) const override {
    bytes += static_cast<int64_t>(text.size());
    return std::vector<int32_t>(text.size() / 2, 0);
  }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
  mutable int64_t bytes = 0;
};

// Equal documents; one in ten belongs to the other book.
class Equal final : public Dataset {
 public:
  Equal(int64_t count, int64_t bytes) : count_(count), text_(static_cast<size_t>(bytes), 'x') {}
  int64_t size(Split) const override { return count_; }
  Document document(Split, int64_t i) const override {
    return {text_, std::to_string(i), {{"book", i % 10 == 9 ? "a" : "b"}, {"id", std::to_string(i)}, {"all", ""}}};
  }
  std::vector<Source> sources() const override { return {{"equal", "", ""}}; }

 private:
  int64_t count_;
  std::string text_;
};

struct Looked {
  SplitFindings findings;
  int64_t bytes;  // encoded bytes
};
Looked look(const char* evaluator, const json& parameters, const Dataset& data) {
  const Counting tokenizer;
  const auto findings = make<Evaluator>(evaluator, parameters)->check_split({data, Split::kValidation, tokenizer, 100});
  return {findings, tokenizer.bytes};
}

constexpr int64_t kMiB = 1 << 20;

TEST(BoundedText, EncodesAPartOfALargeDocument) {
  const Equal large(1, 20 * kMiB);
  for (const auto& [evaluator, parameters] :
       {std::pair{"held_out", json{{"length", 100}}}, std::pair{"lm", json{{"lengths", {100}}}}}) {
    const auto [findings, bytes] = look(evaluator, parameters, large);
    EXPECT_THAT(findings.faults, IsEmpty()) << evaluator;
    EXPECT_THAT(findings.notes, IsEmpty()) << evaluator;
    EXPECT_LE(bytes, kMiB / 8) << evaluator;
  }
}

TEST(BoundedText, SkipsDocumentsWithFewerBytesThanTokens) {
  const auto [findings, bytes] = look("held_out", {{"length", 1000}}, Equal(20000, 1000));
  EXPECT_THAT(findings.faults, SizeIs(1));
  EXPECT_EQ(bytes, 0);
}

// 30 MiB of documents that all have too few tokens, of which some MiB are encoded: nothing is reported about the rest.
TEST(BoundedText, DoesNotRefuseTextThatWasNotEncoded) {
  const auto [findings, bytes] = look("held_out", {{"length", 1000}}, Equal(15 * 1024, 2000));
  EXPECT_THAT(findings.faults, IsEmpty());
  EXPECT_LE(bytes, 4 * kMiB);
  const auto small = look("held_out", {{"length", 1000}}, Equal(10, 2000));
  EXPECT_THAT(small.findings.faults, SizeIs(1));
  EXPECT_EQ(small.bytes, 20000);
}

TEST(BoundedText, AProbeNeedsADocumentOfEachOfTwoLabels) {
  const Equal data(15 * 1024, 2000);
  const auto books = look("probe", {{"field", "book"}, {"length", 64}}, data);
  EXPECT_THAT(books.findings.faults, IsEmpty());
  EXPECT_EQ(books.bytes, 4 * 2000);  // two of each split
  const auto ids = look("probe", {{"field", "id"}, {"length", 64}}, data);
  EXPECT_THAT(ids.findings.faults, IsEmpty());
  EXPECT_LE(ids.bytes, 4 * kMiB + 4000);
  EXPECT_THAT(look("probe", {{"field", "all"}, {"length", 64}}, data).findings.faults, SizeIs(1));
}

TEST(BoundedText, PartsEndAtACharacter) {
  std::string text = "x";
  for (int i = 0; i < 64 << 10; ++i) text += "\xc3\xa9";
  Counting tokenizer;
  evaluation::BoundedEncoder encoder(tokenizer);
  encoder.encode(text, 1);
  EXPECT_EQ(tokenizer.bytes, (64 << 10) - 1);
  EXPECT_TRUE(encoder.is_cut());
}

}  // namespace
}  // namespace assay::testing
