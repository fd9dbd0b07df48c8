#include "run/checkpoint/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "assay/error.h"
#include "base/files.h"

namespace assay::run {
namespace {

using nlohmann::json;

// Every dtype of the format, with its number of bits. Dtypes that LibTorch lacks may be in a file, but cannot be read.
struct SafetensorsDtype {
  const char* name;
  int64_t bits;
  std::optional<at::ScalarType> type;
};
const SafetensorsDtype kDtypes[] = {
    {"F64", 64, at::kDouble},
    {"F32", 32, at::kFloat},
    {"F16", 16, at::kHalf},
    {"BF16", 16, at::kBFloat16},
    {"I64", 64, at::kLong},
    {"I32", 32, at::kInt},
    {"I16", 16, at::kShort},
    {"I8", 8, at::kChar},
    {"U8", 8, at::kByte},
    {"BOOL", 8, at::kBool},
    {"U64", 64, at::kUInt64},
    {"U32", 32, at::kUInt32},
    {"U16", 16, at::kUInt16},
    {"C64", 64, at::kComplexFloat},
    {"F8_E4M3", 8, at::kFloat8_e4m3fn},
    {"F8_E5M2", 8, at::kFloat8_e5m2},
    {"F8_E4M3FNUZ", 8, at::kFloat8_e4m3fnuz},
    {"F8_E5M2FNUZ", 8, at::kFloat8_e5m2fnuz},
    {"F8_E8M0", 8, at::kFloat8_e8m0fnu},
    {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt},
    {"F4", 4, std::nullopt},
};

const char* name_of(at::ScalarType type) {
  for (const auto& known : kDtypes)
    if (known.type == type) return known.name;
  throw Bug(std::string("safetensors has no dtype for ") + c10::toString(type));
}

const SafetensorsDtype* dtype_of(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const SafetensorsDtype& d) { return d.name == name; });
  return found == std::end(kDtypes) ? nullptr : found;
}

// Parses JSON in which no object has duplicate keys; returns null for other text. Unlike nlohmann::json, the format
// allows neither a byte-order mark before the JSON nor a terminating null byte.
json parse_header(const std::string& text) {
  std::vector<std::set<std::string>> keys;
  bool is_refused = text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string::npos;
  const auto note = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) is_refused |= !keys.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  auto header = json::parse(text, note, /*allow_exceptions=*/false);
  return is_refused ? json() : header;
}

// A null value means no metadata.
std::map<std::string, std::string> metadata_in(const json& header) {
  const auto found = header.find("__metadata__");
  if (found == header.end() || found->is_null()) return {};
  return found->get<std::map<std::string, std::string>>();
}

// The header entry of a tensor. `described` throws json's exception or a UserError when the entry is not valid.
struct Described {
  const SafetensorsDtype* dtype;
  std::vector<int64_t> shape;
  int64_t begin, end;
};

int64_t whole_number(const json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
    throw UserError("has " + value.dump() + " where a non-negative integer is needed");
  return value;
}

Described described(const json& entry) {
  Described tensor{};
  const auto& dtype = entry.at("dtype").get_ref<const std::string&>();
  tensor.dtype = dtype_of(dtype);
  if (!tensor.dtype) throw UserError("has dtype '" + dtype + "', which the format does not define");
  uint64_t bits = 1;
  for (const auto& extent : entry.at("shape").get_ref<const json::array_t&>()) {
    tensor.shape.push_back(whole_number(extent));
    if (__builtin_mul_overflow(bits, static_cast<uint64_t>(tensor.shape.back()), &bits))
      throw UserError("has a shape whose size overflows");
  }
  if (__builtin_mul_overflow(bits, static_cast<uint64_t>(tensor.dtype->bits), &bits))
    throw UserError("has a shape whose size overflows");
  const auto& offsets = entry.at("data_offsets").get_ref<const json::array_t&>();
  if (offsets.size() != 2) throw UserError("has " + std::to_string(offsets.size()) + " data_offsets instead of two");
  tensor.begin = whole_number(offsets[0]);
  tensor.end = whole_number(offsets[1]);
  if (tensor.end < tensor.begin) throw UserError("ends before it begins");
  const auto bytes = static_cast<uint64_t>(tensor.end - tensor.begin);
  if (bits % 8 != 0 || bits / 8 != bytes)
    throw UserError("has " + std::to_string(bytes) + " bytes, but its shape needs " + std::to_string((bits + 7) / 8));
  return tensor;
}

constexpr size_t kAlignment = 8;
constexpr int64_t kMaxHeaderBytes = 100'000'000;  // limit of the format

}  // namespace

void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<std::string_view> parts{{}, {}};  // length and header, known after the offsets of all tensors
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
  base::write_synced(file, parts);
}

SafetensorsFile::SafetensorsFile(std::filesystem::path file) : file_(std::move(file)) {
  const auto refuse = [&](const std::string& what) {
    throw UserError(file_.string() + ": the file is not a valid safetensors file: " + what);
  };
  std::ifstream stream(file_, std::ios::binary | std::ios::ate);
  if (!stream) throw UserError(file_.string() + ": cannot be read; check that the file exists and is readable");
  const auto size = static_cast<int64_t>(stream.tellg());
  unsigned char bytes[8] = {};
  stream.seekg(0);
  if (!stream.read(reinterpret_cast<char*>(bytes), sizeof bytes)) refuse("it is shorter than its header");
  uint64_t length = 0;
  for (int byte = 7; byte >= 0; --byte) length = length << 8 | bytes[byte];
  if (length > kMaxHeaderBytes || static_cast<int64_t>(length) > size - 8)
    refuse("its header has " + std::to_string(length) + " bytes, but the file has " + std::to_string(size));
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  data_begin_ = 8 + static_cast<int64_t>(length);
  header_ = parse_header(text);
  if (!header_.is_object()) refuse("its header is not a JSON object with unique keys");
  try {
    metadata_ = metadata_in(header_);
  } catch (const json::exception& error) {
    refuse(std::string("its __metadata__ is not a table of strings: ") + error.what());
  }
  header_.erase("__metadata__");
  check_coverage(size - data_begin_, refuse);
}

// Checks that the tensors, in order, cover the data exactly once.
void SafetensorsFile::check_coverage(int64_t data_size, const std::function<void(const std::string&)>& refuse) const {
  std::vector<std::tuple<int64_t, int64_t, std::string>> places;
  for (const auto& [name, entry] : header_.items()) {
    try {
      const auto tensor = described(entry);
      places.emplace_back(tensor.begin, tensor.end, name);
    } catch (const UserError& error) {
      refuse("tensor '" + name + "' " + error.what());
    } catch (const json::exception& error) {
      refuse("tensor '" + name + "': " + error.what());
    }
  }
  std::sort(places.begin(), places.end());
  int64_t covered = 0;
  for (const auto& [begin, end, name] : places) {
    if (begin != covered)
      refuse("tensor '" + name + "' begins at byte " + std::to_string(begin) +
             " of the data, but the previous one ends at " + std::to_string(covered));
    covered = end;
  }
  if (covered != data_size)
    refuse("its tensors have " + std::to_string(covered) + " bytes of data, but the file has " +
           std::to_string(data_size));
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
  if (!has(name)) refuse("does not exist");
  const auto tensor = described(header_.at(name));
  if (!tensor.dtype->type) refuse(std::string("has dtype ") + tensor.dtype->name + ", which assay cannot read");
  const auto options = at::TensorOptions().dtype(*tensor.dtype->type);
  // LibTorch's empty rejects sizes whose product overflows, even if one of them is 0.
  if (tensor.begin == tensor.end) return at::empty({0}, options).reshape(tensor.shape);
  auto value = at::empty(tensor.shape, options);
  std::ifstream stream(file_, std::ios::binary);
  stream.seekg(data_begin_ + tensor.begin);
  if (!stream.read(static_cast<char*>(value.data_ptr()), tensor.end - tensor.begin)) refuse("cannot be read");
  return value;
}

}  // namespace assay::run
