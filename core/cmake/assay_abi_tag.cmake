# Computes the ABI tag and the hash of each kind's header, and writes them to <build>/generated/assay/abi_tag.h.
#
# The tag names everything that must match exactly between the core and a plugin: SDK API number, LibTorch, compiler,
# the base headers (comments and white space stripped) and the sanitizer. Kind headers are hashed one by one, so that a
# new kind does not refuse old plugins and a changed kind cannot be miscalled.
include_guard(GLOBAL)

if(NOT ASSAY_SDK_DIR)   # else installed
  set(ASSAY_SDK_DIR "${CMAKE_CURRENT_LIST_DIR}/../include")
endif()
set(ASSAY_SDK_API 1)
set(ASSAY_BASE_HEADERS abi error tensor random parameters batch component schema plugin mesh nn)

# The text that counts: no comments, no white space. (A "//" in a string literal would cut its line for every reader alike.)
function(assay_stripped_header header out)
  file(READ "${header}" text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" "" text "${text}")
  string(REPLACE ";" "<semicolon>" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
endfunction()

# Hash of a header and of the assay headers it includes, base headers left out (they are in the tag).
function(assay_header_hash header out)
  set(pending "${header}")
  set(seen "")
  set(all "")
  while(pending)
    list(POP_FRONT pending current)
    if(current IN_LIST seen)
      continue()
    endif()
    list(APPEND seen "${current}")
    assay_stripped_header("${current}" text)
    string(APPEND all "${text}")
    file(STRINGS "${current}" includes REGEX "^#include \"assay/")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE ".*\"assay/([a-z0-9_]+)\\.h\".*" "\\1" name "${line}")
      if(NOT name IN_LIST ASSAY_BASE_HEADERS AND EXISTS "${ASSAY_SDK_DIR}/assay/${name}.h")
        list(APPEND pending "${ASSAY_SDK_DIR}/assay/${name}.h")
      endif()
    endforeach()
  endwhile()
  string(SHA256 hash "${all}")
  string(SUBSTRING "${hash}" 0 16 hash)
  set(${out} "${hash}" PARENT_SCOPE)
endfunction()

set(base_text "")
foreach(name IN LISTS ASSAY_BASE_HEADERS)
  assay_stripped_header("${ASSAY_SDK_DIR}/assay/${name}.h" text)
  string(APPEND base_text "${text}")
endforeach()
string(SHA256 base_hash "${base_text}")
string(SUBSTRING "${base_hash}" 0 16 base_hash)

set(sanitizer none)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=([a-z,]+)")
  string(REPLACE "," "_" sanitizer "${CMAKE_MATCH_1}")
endif()
string(TOLOWER "${CMAKE_CXX_COMPILER_ID}" compiler)
string(REGEX REPLACE "^([0-9]+)\\..*" "\\1" compiler_major "${CMAKE_CXX_COMPILER_VERSION}")
string(REPLACE "." "_" torch_version "${ASSAY_TORCH_VERSION}")
# Fields are separated by two underscores; the loader splits the symbol there and names each difference.
set(ASSAY_ABI_TAG "assay_abi_api_${ASSAY_SDK_API}__torch_${torch_version}__compiler_${compiler}_${compiler_major}__headers_${base_hash}__sanitizer_${sanitizer}")

set(kinds_text "")
file(GLOB kind_headers CONFIGURE_DEPENDS "${ASSAY_SDK_DIR}/assay/*.h")
foreach(header IN LISTS kind_headers)
  get_filename_component(name "${header}" NAME_WE)
  if(NOT name IN_LIST ASSAY_BASE_HEADERS)
    assay_header_hash("${header}" hash)
    string(TOUPPER "${name}" upper)
    string(APPEND kinds_text "#define ASSAY_KIND_HASH_${upper} \"${hash}\"\n")
  endif()
endforeach()
set(ASSAY_GENERATED_DIR "${CMAKE_BINARY_DIR}/generated")
file(CONFIGURE OUTPUT "${ASSAY_GENERATED_DIR}/assay/abi_tag.h" CONTENT
"// Made by core/cmake/assay_abi_tag.cmake; see there.
#pragma once
#define ASSAY_ABI_TAG ${ASSAY_ABI_TAG}
${kinds_text}" @ONLY)
