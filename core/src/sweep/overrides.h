// --set key=value, and the bare word key=value: laid over the file like any other value.
#pragma once

#include <string>
#include <vector>

#include "sweep/block.h"

namespace assay::sweep {

std::vector<Override> read_overrides(const std::vector<std::string>& assignments, document::Diagnostics& diagnostics);

// An override of a swept key leaves its value as the axis' only one, and as the key's value in every case.
void collapse_axes(std::vector<Block>& blocks, const std::vector<Override>& overrides);

// True when an override may leave the selector without the runs that the file has for it.
bool is_narrowed(const Selector& selector, const std::vector<Override>& overrides);

}  // namespace assay::sweep
