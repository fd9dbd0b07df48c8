// --set key=value, and the bare argument key=value: merged over the file like any other value.
#pragma once

#include <string>
#include <vector>

#include "sweep/block.h"

namespace assay::sweep {

std::vector<Override> read_overrides(const std::vector<std::string>& assignments, document::Diagnostics& diagnostics);

// An override of a swept key becomes the only value of its axis, and the key's value in every case.
void collapse_axes(std::vector<Block>& blocks, const std::vector<Override>& overrides);

// True when an override may remove the runs that the selector matches in the file.
bool is_narrowed(const Selector& selector, const std::vector<Override>& overrides);

}  // namespace assay::sweep
