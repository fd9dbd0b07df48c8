// Collects errors in the user's configuration, so that all of them are reported at once.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "assay/error.h"
#include "document/position.h"

namespace assay::document {

struct Diagnostic {
  Position position;
  std::string message;

  std::string text() const { return position.text() + ": " + message; }
};

// The exception for an invalid configuration; what() has one line per error, sorted by position.
class ConfigErrors : public UserError {
 public:
  explicit ConfigErrors(std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

// Equal errors of several runs of a sweep are reported once.
class Diagnostics {
 public:
  void add(const Position& position, std::string message);
  void add_all(const Diagnostics& others) { found_.insert(others.found_.begin(), others.found_.end()); }
  bool empty() const { return found_.empty(); }
  const Diagnostic& first() const { return *found_.begin(); }  // by position; there must be one
  // True when an error exists at exactly this position: consequential errors need not be reported too.
  bool has_at(const Position& position) const;
  void throw_if_any() const;

 private:
  struct Order {
    bool operator()(const Diagnostic& a, const Diagnostic& b) const;
  };
  std::set<Diagnostic, Order> found_;
};

}  // namespace assay::document
