#include "loader/libtorch.h"

#include <ATen/Version.h>

namespace assay::loader {

std::string loaded_libtorch() { return libtorch_version_in(at::show_config()); }

}  // namespace assay::loader
