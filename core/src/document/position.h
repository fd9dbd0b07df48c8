// A position in the user's input: a file with line and column, or a command-line argument.
#pragma once

#include <memory>
#include <string>

namespace assay::document {

struct Position {
  std::shared_ptr<const std::string> file;  // as the user gave it
  int line = 0;                             // from 1; 0: `file` is the whole position (a command-line argument)
  int column = 0;

  std::string text() const {
    const std::string name = file ? *file : "?";
    return line == 0 ? name : name + ":" + std::to_string(line) + ":" + std::to_string(column);
  }
};

}  // namespace assay::document
