# What `assay new` copies, core/scaffold/*, as a source of the lab.
include_guard(GLOBAL)
include(assay_embed)

set(scaffold "${CMAKE_CURRENT_LIST_DIR}/../scaffold")
file(GLOB scaffold_files CONFIGURE_DEPENDS RELATIVE "${scaffold}" "${scaffold}/*/*" "${scaffold}/*.in")
set(named_files "")
foreach(name IN LISTS scaffold_files)
  list(APPEND named_files "${name}" "${scaffold}/${name}")
endforeach()
assay_embed(scaffold_files.cpp cli/kit/scaffold.h assay::cli scaffold_files ${named_files})
set(ASSAY_SCAFFOLD_SOURCE "${CMAKE_BINARY_DIR}/generated/scaffold_files.cpp")
