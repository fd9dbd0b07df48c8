# Writes what `assay new` copies, core/scaffold/*, as strings into <build>/generated/scaffold_files.cpp.
include_guard(GLOBAL)

set(scaffold "${CMAKE_CURRENT_LIST_DIR}/../scaffold")
file(GLOB scaffold_files CONFIGURE_DEPENDS RELATIVE "${scaffold}" "${scaffold}/*/*" "${scaffold}/*.in")
set(code "// Made by core/cmake/assay_scaffold.cmake; see there.\n#include \"cli/scaffold.h\"\n\nnamespace assay::cli {\n
const std::map<std::string, std::string>& scaffold_files() {
  static const std::map<std::string, std::string> files{\n")
foreach(name IN LISTS scaffold_files)
  file(READ "${scaffold}/${name}" text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${scaffold}/${name}")
  string(APPEND code "      {\"${name}\", R\"scaffold(${text})scaffold\"},\n")
endforeach()
string(APPEND code "  };\n  return files;\n}\n\n}  // namespace assay::cli\n")
set(ASSAY_SCAFFOLD_SOURCE "${CMAKE_BINARY_DIR}/generated/scaffold_files.cpp")
set(old "")
if(EXISTS "${ASSAY_SCAFFOLD_SOURCE}")
  file(READ "${ASSAY_SCAFFOLD_SOURCE}" old)
endif()
if(NOT old STREQUAL code)
  file(WRITE "${ASSAY_SCAFFOLD_SOURCE}" "${code}")
endif()
