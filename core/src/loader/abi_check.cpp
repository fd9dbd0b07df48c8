#include "loader/abi_check.h"

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/library_info.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "assay/abi_tag.h"
#include "loader/elf_check.h"

#define ASSAY_STRING_OF(x) #x
#define ASSAY_STRING(x) ASSAY_STRING_OF(x)

namespace assay::loader {
namespace {

constexpr const char* kTag = ASSAY_STRING(ASSAY_ABI_TAG);
constexpr const char* kTensorTag = ASSAY_STRING(ASSAY_TENSOR_ABI_TAG);
constexpr const char* kPrefix = "assay_abi_";

// "assay_abi_api_1__torch_2_15_0__..." -> {api: 1, torch: 2_15_0, ...}
std::map<std::string, std::string> fields_of(std::string tag) {
  tag = tag.substr(std::strlen(kPrefix));
  std::map<std::string, std::string> fields;
  for (size_t begin = 0; begin <= tag.size();) {
    const auto end = std::min(tag.find("__", begin), tag.size());
    const auto field = tag.substr(begin, end - begin);
    const auto cut = field.find('_');
    fields[field.substr(0, cut)] = cut == std::string::npos ? "" : field.substr(cut + 1);
    begin = end + 2;
  }
  return fields;
}

// Reads as much as possible: a file that cannot be read fails the later checks.
std::vector<char> read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  std::vector<char> bytes(static_cast<size_t>(std::max<std::streamoff>(0, stream.tellg())));
  stream.seekg(0);
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// Whether a library refers to a function or class of the namespaces at, c10 or torch.
bool uses_libtorch(std::span<const char> bytes) {
  for (const std::string kind :
       {"_ZN", "_ZNK", "_ZTIN", "_ZTVN"})  // functions, their const ones, type info, virtual tables
    for (const char* name : {"2at", "3c10", "5torch"})
      if (elf_has_symbol(bytes, kind + name)) return true;
  return false;
}

}  // namespace

std::string abi_refusal(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return "the file is not a regular file";
  if (std::filesystem::file_size(file, error) > kMaxPluginBytes)
    return "the file is larger than 1 GiB, the maximum size of a plugin";
  const auto bytes = read_bytes(file);
  if (const auto refusal = elf_refusal(bytes); !refusal.empty()) return refusal;
  if (!elf_has_section(bytes, "assay_abi"))
    return "the file is not an assay plugin (it has no ABI tag); a plugin must end with ASSAY_PLUGIN(...)";
  std::vector<std::string> tags;
  try {
    boost::dll::library_info info(file);
    for (const auto& symbol : info.symbols("assay_abi"))
      if (symbol.rfind(kPrefix, 0) == 0) tags.push_back(symbol);
  } catch (const std::exception& thrown) {
    return std::string("the file is a corrupt shared library (") + thrown.what() + ")";
  }
  if (tags.size() != 1)
    return "the file is not an assay plugin (it has " + std::to_string(tags.size()) + " ABI tags instead of one)";
  if (tags[0] == kTensorTag) return "";
  if (tags[0] == kTag)
    return uses_libtorch(bytes)
               ? "the plugin uses LibTorch, but its tag does not name the version; include assay/tensor.h in its source"
               : "";
  std::string differences;
  auto theirs = fields_of(tags[0]);
  for (const auto& [name, ours] : fields_of(theirs.count("torch") ? kTensorTag : kTag))
    if (theirs[name] != ours)
      differences += (differences.empty() ? "" : "; ") + name + ": plugin " +
                     (theirs[name].empty() ? "none" : theirs[name]) + ", this assay " + ours;
  return "the plugin was built for another version of assay (" + differences + "); rebuild it against this one";
}

}  // namespace assay::loader
