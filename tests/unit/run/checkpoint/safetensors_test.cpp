// The format against bytes written by hand from its specification, and corrupt files.
#include "run/checkpoint/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "assay/error.h"
#include "base/files.h"
#include "unit/temporary_folder.h"

namespace assay::run {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// {"a": F32 [2] = 1, -2; "b": I64 [] = 258}, header of 112 bytes.
std::string by_hand() {
  std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})";
  header.resize(136, ' ');
  std::string bytes{static_cast<char>(136), 0, 0, 0, 0, 0, 0, 0};
  const char data[] = {0, 0, '\x80', '\x3f', 0, 0, 0, '\xc0', 2, 1, 0, 0, 0, 0, 0, 0};
  return bytes + header + std::string(data, sizeof data);
}

TEST(Safetensors, ReadsTheSpecifiedFormat) {
  const testing::TemporaryFolder folder;
  const SafetensorsFile file(folder.write("x.safetensors", by_hand()));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.metadata().at("k"), "v");
  EXPECT_TRUE(file.read("a").equal(at::tensor({1.0F, -2.0F})));
  EXPECT_EQ(file.read("b").item<int64_t>(), 258);
  EXPECT_EQ(file.read("b").dim(), 0);
}

TEST(Safetensors, WritesTheSpecifiedFormat) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  const auto b = at::empty({}, at::kLong).fill_(258);
  write_safetensors(path, {{"a", at::tensor({1.0F, -2.0F})}, {"b", b}}, {{"k", "v"}});
  const auto bytes = base::read_file(path), expected = by_hand();
  const auto header = [](const std::string& text) { return nlohmann::json::parse(text.substr(8, text.size() - 24)); };
  EXPECT_EQ(header(bytes), header(expected));
  EXPECT_EQ(bytes.substr(bytes.size() - 16), expected.substr(expected.size() - 16));
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]), bytes.size() - 8 - 16);
  EXPECT_EQ(bytes.size() % 8, 0U);
}

TEST(Safetensors, RefusesCorruptFiles) {
  const testing::TemporaryFolder folder;
  const auto whole = by_hand();
  const auto reading = [&](const std::string& bytes) {
    return [&folder, bytes] { SafetensorsFile(folder.write("x.safetensors", bytes)).read("a"); };
  };
  for (size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_THAT(reading(whole.substr(0, cut)), ThrowsMessage<UserError>(HasSubstr("x.safetensors"))) << cut;
  auto huge = whole;
  huge[7] = '\x7f';
  EXPECT_THAT(reading(huge), ThrowsMessage<UserError>(HasSubstr("its header has")));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = whole;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_THAT(reading(with("F32", "F31")), ThrowsMessage<UserError>(HasSubstr("has dtype 'F31', which")));
  EXPECT_THAT(reading(with("[2]", "[3]")), ThrowsMessage<UserError>(HasSubstr("its shape needs 12")));
  EXPECT_THAT(reading(with("[0,8]", "[0,9]")), ThrowsMessage<UserError>(HasSubstr("has 9 bytes")));
  EXPECT_THAT(reading(with("[8,16]", "[8,17]")), ThrowsMessage<UserError>(HasSubstr("'b' has 9 bytes")));
  EXPECT_THAT(reading(whole + "x"), ThrowsMessage<UserError>(HasSubstr("have 16 bytes of data, but the file has 17")));
  EXPECT_THAT(reading(with("[8,16]", "[4,12]")),
              ThrowsMessage<UserError>(HasSubstr("'b' begins at byte 4 of the data, but the previous one ends at 8")));
  for (const auto& broken : {with("\"dtype\":\"F32\"", "\"dtypo\":\"F32\""), with("\"F32\"", "32   "),
                             with("\"shape\"", "\"shade\""), with("[2]", "3  ")})
    EXPECT_THAT(reading(broken),
                ThrowsMessage<UserError>(HasSubstr("x.safetensors: the file is not a valid safetensors file")));
  EXPECT_THAT(reading(with("\"a\"", "\"c\"")),
              ThrowsMessage<UserError>(AllOf(HasSubstr("tensor 'a'"), HasSubstr("does not exist"))));
}

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string file_of_case(const nlohmann::json& one) {
  if (one.contains("file_hex")) return bytes_of_hex(one["file_hex"]);
  const auto header = one.contains("header_hex") ? bytes_of_hex(one["header_hex"]) : one["header"].get<std::string>();
  const auto length = one.value("length", uint64_t{header.size()});
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes + header + std::string(one["data_bytes"].get<size_t>(), '\0');
}

// Returns {"tensors": {name: shape}, "metadata"} of a file as read here; null where it is refused.
nlohmann::json read_here(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file(path);
    nlohmann::json read = {{"tensors", nlohmann::json::object()}, {"metadata", nlohmann::json::object()}};
    for (const auto& name : file.names()) read["tensors"][name] = file.read(name).sizes().vec();
    for (const auto& [key, value] : file.metadata()) read["metadata"][key] = value;
    return read;
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("x.safetensors: "));
    return nullptr;
  }
}

TEST(Safetensors, AcceptsAndRefusesTheSameFilesAsTheReferenceReader) {
  const testing::TemporaryFolder folder;
  const auto cases = nlohmann::json::parse(base::read_file(std::filesystem::path(std::getenv("ASSAY_SOURCE_DIR")) /
                                                           "tests/exchange/safetensors_cases.json"))["cases"];
  EXPECT_GT(cases.size(), 100U);
  for (const auto& one : cases) {
    const auto read = read_here(folder.write("x.safetensors", file_of_case(one)));
    if (!one.contains("tensors") || one.contains("refused_here")) {
      EXPECT_TRUE(read.is_null()) << one;
      continue;
    }
    ASSERT_FALSE(read.is_null()) << one;
    EXPECT_EQ(read["tensors"], one["tensors"]) << one;
    EXPECT_EQ(read["metadata"], one["metadata"].is_null() ? nlohmann::json::object() : one["metadata"]) << one;
  }
}

}  // namespace
}  // namespace assay::run
