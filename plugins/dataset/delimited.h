// Delimited text (CSV, TSV) as pandas' default read_csv reads it: a cell that begins with a quote ends at the next
// quote that is not doubled; text after it belongs to the cell; delimiters and line breaks within quotes are text;
// empty lines are skipped. The file is mapped and read in one pass; cells without quotes are not copied.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "assay/error.h"

namespace assay::dataset {

// A file, mapped read-only.
class MappedFile {
 public:
  // UserError, beginning with the name of the component, when the file cannot be read.
  MappedFile(const std::string& component, const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    const bool is_file = descriptor >= 0 && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    size_ = is_file ? static_cast<size_t>(status.st_size) : 0;
    void* const mapping = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0) : nullptr;
    if (descriptor >= 0) ::close(descriptor);
    if (!is_file || mapping == MAP_FAILED)
      throw UserError(component + ": cannot read " + file.string() + "; it must be a file that exists");
    data_ = static_cast<const char*>(mapping);
    if (data_) ::madvise(mapping, size_, MADV_SEQUENTIAL);
  }
  ~MappedFile() {
    if (data_) ::munmap(const_cast<char*>(data_), size_);
  }
  MappedFile(const MappedFile&) = delete;
  std::string_view text() const { return {data_, size_}; }
  // What precedes `offset` was read: its pages leave the memory, 16 MiB at a time, and are read again if they are
  // needed.
  void read_up_to(size_t offset) {
    constexpr size_t kStretch = size_t{1} << 24;
    for (; offset - left_ >= kStretch; left_ += kStretch)
      ::madvise(const_cast<char*>(data_) + left_, kStretch, MADV_DONTNEED);
  }
  // The whole was read in order; from now on single records are.
  void expect_random_access() {
    if (!data_) return;
    ::madvise(const_cast<char*>(data_), size_, MADV_DONTNEED);
    ::madvise(const_cast<char*>(data_), size_, MADV_RANDOM);
  }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0, left_ = 0;
};

// Reads the records of a text one after another.
class DelimitedReader {
 public:
  enum class Fault { kNone, kCarriageReturn, kOpenQuote };

  DelimitedReader(std::string_view text, char delimiter, size_t begin = 0, int64_t line = 1)
      : text_(text), at_(begin), line_(line), delimiter_(delimiter) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (begin == 0 && text.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    line_end_ = find_line_end();
  }

  // Reads the next record; false at the end of the text or at a fault. Cells are valid until the next call.
  bool next(std::vector<std::string_view>& cells) {
    while (at_ < text_.size() && text_[at_] == '\n') ++at_, ++line_;
    if (at_ >= text_.size()) return false;
    cells.clear();
    copies_used_ = 0;
    record_begin_ = at_;
    record_line_ = line_;
    for (bool more = true; more;) {
      if (at_ < text_.size() && text_[at_] == '"') {
        cells.push_back(quoted());
        fault_cell_ = cells.size();
        if (fault_ != Fault::kNone) return false;
      } else {
        const auto begin = at_;
        skip_plain();
        cells.push_back(text_.substr(begin, at_ - begin));
      }
      more = at_ < text_.size() && text_[at_] == delimiter_;
      if (at_ < text_.size() && text_[at_] == '\r') {
        fault_ = Fault::kCarriageReturn;
        fault_cell_ = cells.size();
        return false;
      }
      if (at_ < text_.size() && !more) ++line_;
      ++at_;
    }
    return true;
  }

  Fault fault() const { return fault_; }
  size_t record_begin() const { return record_begin_; }  // offset of the last record
  int64_t line() const { return record_line_; }          // of its first line, from 1
  int64_t fault_line() const { return line_; }
  size_t fault_cell() const { return fault_cell_; }           // from 1
  int64_t unusual_quotes() const { return unusual_quotes_; }  // cells with text after a closing quote

 private:
  // Moves to the end of a cell without quotes: a delimiter, a line end or a carriage return. memchr looks at many bytes
  // at once, and the end of the line is found once a line.
  void skip_plain() {
    if (at_ > line_end_) line_end_ = find_line_end();
    at_ = find(delimiter_, line_end_);
  }
  size_t find_line_end() const { return find('\r', find('\n', text_.size())); }
  // The first `c` in [at_, end), or end.
  size_t find(char c, size_t end) const {
    if (at_ >= end) return end;
    const void* const found = std::memchr(text_.data() + at_, c, end - at_);
    return found ? static_cast<size_t>(static_cast<const char*>(found) - text_.data()) : end;
  }

  // The cell whose opening quote is at at_; it is copied, because quotes in it are doubled.
  std::string_view quoted() {
    if (copies_used_ == copies_.size()) copies_.emplace_back();
    auto& cell = copies_[copies_used_++];
    cell.clear();
    const auto opening_line = line_;
    for (++at_;; ++at_) {
      const auto end = text_.find('"', at_);
      if (end == std::string_view::npos) {
        fault_ = Fault::kOpenQuote;
        line_ = opening_line;
        return {};
      }
      for (auto i = at_; i < end; ++i) line_ += text_[i] == '\n';
      cell.append(text_, at_, end - at_);
      at_ = end + 1;
      if (at_ >= text_.size() || text_[at_] != '"') break;
      cell += '"';
    }
    const auto begin = at_;
    skip_plain();
    cell.append(text_, begin, at_ - begin);
    unusual_quotes_ += at_ > begin;
    return cell;
  }

  std::string_view text_;
  size_t at_ = 0, record_begin_ = 0, fault_cell_ = 0;
  int64_t line_ = 1, record_line_ = 1, unusual_quotes_ = 0;
  const char delimiter_;
  size_t line_end_ = 0;  // the first line end or carriage return at or after at_, if at_ is not beyond it
  Fault fault_ = Fault::kNone;
  std::deque<std::string> copies_;  // of quoted cells, which keep their place
  size_t copies_used_ = 0;
};

// UserError for what ended the text before its end, if anything did.
inline void refuse_fault(const std::string& component, const DelimitedReader& reader, const std::string& file) {
  const auto where = component + ": " + file + ":" + std::to_string(reader.fault_line()) + ":" +
                     std::to_string(reader.fault_cell()) + ": ";
  if (reader.fault() == DelimitedReader::Fault::kCarriageReturn)
    throw UserError(where + "the line ends with CR; convert the file to LF line ends (tr -d '\\r', or dos2unix)");
  if (reader.fault() == DelimitedReader::Fault::kOpenQuote)
    throw UserError(where + "a cell begins with a quote that is never closed; close it, or double quotes within cells");
}

}  // namespace assay::dataset
