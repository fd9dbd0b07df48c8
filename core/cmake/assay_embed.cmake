# assay_embed(SOURCE HEADER NAMESPACE FUNCTION [NAME FILE]...): writes files as strings into <build>/generated/SOURCE, where
# FUNCTION(), declared in HEADER, gives them by NAME. Written anew only when something has changed.
include_guard(GLOBAL)

function(assay_embed source header namespace function)
  set(code "// Made by core/cmake/assay_embed.cmake; see there.\n#include \"${header}\"\n\nnamespace ${namespace} {\n
const std::map<std::string, std::string>& ${function}() {
  static const std::map<std::string, std::string> files{\n")
  set(names_and_files ${ARGN})
  while(names_and_files)
    list(POP_FRONT names_and_files name file)
    file(READ "${file}" text)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    string(APPEND code "      {\"${name}\", R\"embedded(${text})embedded\"},\n")
  endwhile()
  string(APPEND code "  };\n  return files;\n}\n\n}  // namespace ${namespace}\n")
  set(target "${CMAKE_BINARY_DIR}/generated/${source}")
  set(old "")
  if(EXISTS "${target}")
    file(READ "${target}" old)
  endif()
  if(NOT old STREQUAL code)
    file(WRITE "${target}" "${code}")
  endif()
endfunction()
