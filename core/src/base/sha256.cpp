#include "base/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "assay/error.h"

namespace assay::base {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw Bug("cannot start SHA-256");
  }
  void update(const void* bytes, size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    std::string text;
    for (const unsigned char byte : digest) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(std::string_view bytes) {
  Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw UserError(file.string() + ": cannot be read; check that the file exists and is readable");
  Digest digest;
  std::vector<char> block(1 << 18);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0)
    digest.update(block.data(), static_cast<size_t>(stream.gcount()));
  if (stream.bad()) throw UserError(file.string() + ": cannot be read to its end");
  return digest.hex();
}

std::string sha256_of_path(const std::filesystem::path& file_or_folder) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(file_or_folder)) return sha256_of_file(file_or_folder);
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(file_or_folder))
    if (entry.is_regular_file())
      lines.push_back(fs::relative(entry.path(), file_or_folder).generic_string() + "\n" +
                      sha256_of_file(entry.path()));
  std::sort(lines.begin(), lines.end());
  std::string listing;
  for (const auto& line : lines) {
    const auto cut = line.find('\n');
    listing += line.substr(cut + 1) + "  " + line.substr(0, cut) + "\n";
  }
  return sha256(listing);
}

}  // namespace assay::base
