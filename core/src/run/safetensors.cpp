#include "run/safetensors.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <fstream>
#include <utility>

#include "assay/error.h"
#include "record/files.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr std::pair<const char*, at::ScalarType> kTypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
    {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool},
};

const char* name_of(at::ScalarType type) {
  for (const auto& [name, known] : kTypes)
    if (known == type) return name;
  throw Bug(std::string("safetensors has no type for ") + c10::toString(type));
}

constexpr size_t kAlignment = 8;
constexpr int64_t kLongestHeader = 100'000'000;  // the format's own limit

}  // namespace

void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<std::string_view> parts{{}, {}};  // length and header, known when every tensor has its place
  size_t offset = 0;
  for (const auto& [name, value] : tensors) {
    header[name] = {{"dtype", name_of(value.scalar_type())},
                    {"shape", value.sizes().vec()},
                    {"data_offsets", {offset, offset + value.nbytes()}}};
    parts.emplace_back(static_cast<const char*>(value.data_ptr()), value.nbytes());
    offset += value.nbytes();
  }
  auto text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  std::string length;
  for (int byte = 0; byte < 8; ++byte) length += static_cast<char>(text.size() >> (8 * byte) & 0xFF);
  parts[0] = length;
  parts[1] = text;
  write_synced(file, parts);
}

SafetensorsFile::SafetensorsFile(std::filesystem::path file) : file_(std::move(file)) {
  const auto refuse = [&](const std::string& what) {
    throw UserError(file_.string() + ": not a whole safetensors file: " + what);
  };
  std::ifstream stream(file_, std::ios::binary | std::ios::ate);
  if (!stream) throw UserError(file_.string() + ": cannot be read; check that the file exists and is readable");
  const auto size = static_cast<int64_t>(stream.tellg());
  unsigned char bytes[8] = {};
  stream.seekg(0);
  if (!stream.read(reinterpret_cast<char*>(bytes), sizeof bytes)) refuse("shorter than its header's length");
  uint64_t length = 0;
  for (int byte = 7; byte >= 0; --byte) length = length << 8 | bytes[byte];
  if (length > kLongestHeader || static_cast<int64_t>(length) > size - 8)
    refuse("a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(size));
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  data_begin_ = 8 + static_cast<int64_t>(length);
  header_ = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header_.is_object()) refuse("its header is no JSON object");
  try {
    if (header_.contains("__metadata__"))
      metadata_ = header_.at("__metadata__").get<std::map<std::string, std::string>>();
    header_.erase("__metadata__");
    for (const auto& [name, entry] : header_.items()) {
      const int64_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
      if (begin < 0 || begin > end || end > size - data_begin_) refuse("'" + name + "' reaches beyond its end");
      if (!entry.at("dtype").is_string()) refuse("'" + name + "' has no type");
      [[maybe_unused]] const std::vector<int64_t> shape = entry.at("shape");  // or json's exception
    }
  } catch (const json::exception& error) {
    refuse(error.what());
  }
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : header_.items()) names.push_back(name);
  return names;
}

Tensor SafetensorsFile::read(const std::string& name) const {
  const auto refuse = [&](const std::string& what) {
    throw UserError(file_.string() + ": tensor '" + name + "' " + what);
  };
  if (!has(name)) refuse("is not in it");
  const auto& entry = header_.at(name);
  const std::string given = entry.at("dtype");
  const auto* type =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.first == given; });
  if (type == std::end(kTypes)) refuse("is of type " + given + ", which assay does not read");
  const std::vector<int64_t> shape = entry.at("shape");
  const int64_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
  int64_t bytes = static_cast<int64_t>(c10::elementSize(type->second));
  for (const auto extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes)) refuse("has an impossible shape");
  if (bytes != end - begin)
    refuse("has " + std::to_string(end - begin) + " bytes, its shape needs " + std::to_string(bytes));
  auto value = at::empty(shape, at::TensorOptions().dtype(type->second));
  std::ifstream stream(file_, std::ios::binary);
  stream.seekg(data_begin_ + begin);
  if (!stream.read(static_cast<char*>(value.data_ptr()), bytes)) refuse("cannot be read");
  return value;
}

}  // namespace assay
