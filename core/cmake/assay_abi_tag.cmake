# Computes the ABI tag and the hash of each kind's header, and writes them to <build>/generated/assay/abi_tag.h.
#
# The tag names everything that must match exactly between the core and a plugin: the SDK API number, the C++ standard
# library and its ABI, the base headers (comments and white space stripped) and the sanitizer. A plugin that includes
# assay/tensor.h has a second tag, which also names the version of LibTorch and covers the headers with tensors. Kind
# headers are hashed one by one, so that a new kind does not refuse old plugins and a changed kind cannot be miscalled.
include_guard(GLOBAL)

if(NOT ASSAY_SDK_DIR)   # else installed
  set(ASSAY_SDK_DIR "${CMAKE_CURRENT_LIST_DIR}/../include")
endif()
set(ASSAY_SDK_API 1)
set(ASSAY_BASE_HEADERS abi error duration random component schema plugin)
set(ASSAY_TENSOR_HEADERS tensor parameters batch mesh nn)

set(ASSAY_KINDS_WITHOUT_TENSORS scheduler dataset tokenizer tracker)

# The names of the assay headers that a file includes.
function(assay_included_headers file out)
  file(STRINGS "${file}" names REGEX "^#include \"assay/")
  list(TRANSFORM names REPLACE ".*\"assay/([a-z0-9_]+)\\.h\".*" "\\1")
  set(${out} "${names}" PARENT_SCOPE)
endfunction()

# The first 16 digits of a hash of the text.
function(assay_short_hash text out)
  string(SHA256 hash "${text}")
  string(SUBSTRING "${hash}" 0 16 hash)
  set(${out} "${hash}" PARENT_SCOPE)
endfunction()

# Whether a source includes a header with tensors, or one of a kind that has them.
function(assay_uses_tensors source out)
  set(${out} FALSE PARENT_SCOPE)
  assay_included_headers("${source}" names)
  foreach(name IN LISTS names)
    if(NOT name IN_LIST ASSAY_BASE_HEADERS AND NOT name IN_LIST ASSAY_KINDS_WITHOUT_TENSORS
       AND EXISTS "${ASSAY_SDK_DIR}/assay/${name}.h")   # abi_tag.h is generated
      set(${out} TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# The text that counts: no comments, no white space. (A "//" in a string literal would cut its line for every reader alike.)
function(assay_stripped_header header out)
  file(READ "${header}" text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" "" text "${text}")
  string(REPLACE ";" "<semicolon>" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
endfunction()

# Hash of a header and of the assay headers it includes, without those that are in a tag.
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
    assay_included_headers("${current}" names)
    foreach(name IN LISTS names)
      if(NOT name IN_LIST ASSAY_BASE_HEADERS AND NOT name IN_LIST ASSAY_TENSOR_HEADERS AND EXISTS "${ASSAY_SDK_DIR}/assay/${name}.h")
        list(APPEND pending "${ASSAY_SDK_DIR}/assay/${name}.h")
      endif()
    endforeach()
  endwhile()
  assay_short_hash("${all}" hash)
  set(${out} "${hash}" PARENT_SCOPE)
endfunction()

# One hash of all these headers.
function(assay_headers_hash out)
  set(all "")
  foreach(name IN LISTS ARGN)
    assay_stripped_header("${ASSAY_SDK_DIR}/assay/${name}.h" text)
    string(APPEND all "${text}")
  endforeach()
  assay_short_hash("${all}" hash)
  set(${out} "${hash}" PARENT_SCOPE)
endfunction()

# The standard library and its ABI, from its own macros: g++ and clang++ share libstdc++, which has had one ABI since GCC 5.
function(assay_standard_library out)
  set(source "${CMAKE_BINARY_DIR}/CMakeFiles/assay_standard_library.cpp")
  file(WRITE "${source}" "#include <string>\nmacros cxx11=_GLIBCXX_USE_CXX11_ABI libcxx=_LIBCPP_ABI_VERSION debug=_GLIBCXX_DEBUG end\n")
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${flags} -E -P "${source}" OUTPUT_VARIABLE macros ERROR_VARIABLE errors RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} cannot preprocess #include <string>: ${errors}")
  endif()
  if(macros MATCHES "libcxx= ?([0-9]+)")
    set(name libcxx_${CMAKE_MATCH_1})
  elseif(macros MATCHES "cxx11= ?1")
    set(name libstdcxx_cxx11)
  else()
    set(name libstdcxx_before_cxx11)
  endif()
  if(macros MATCHES "debug=1? ?end")
    string(APPEND name _debug)
  endif()
  set(${out} "${name}" PARENT_SCOPE)
endfunction()

assay_headers_hash(base_hash ${ASSAY_BASE_HEADERS})
assay_headers_hash(tensor_hash ${ASSAY_BASE_HEADERS} ${ASSAY_TENSOR_HEADERS})
assay_standard_library(standard_library)
set(ASSAY_STANDARD_LIBRARY "${standard_library}" CACHE INTERNAL "")

set(sanitizer none)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=([a-z,]+)")
  string(REPLACE "," "_" sanitizer "${CMAKE_MATCH_1}")
endif()
string(REPLACE "." "_" torch_version "${ASSAY_TORCH_VERSION}")
# Fields are separated by two underscores; the loader splits the symbol there and names each difference.
set(tag "assay_abi_api_${ASSAY_SDK_API}__stdlib_${ASSAY_STANDARD_LIBRARY}__sanitizer_${sanitizer}")
set(ASSAY_ABI_TAG "${tag}__headers_${base_hash}")
set(ASSAY_TENSOR_ABI_TAG "${tag}__headers_${tensor_hash}__torch_${torch_version}")

set(kinds_text "")
file(GLOB kind_headers CONFIGURE_DEPENDS "${ASSAY_SDK_DIR}/assay/*.h")
foreach(header IN LISTS kind_headers)
  get_filename_component(name "${header}" NAME_WE)
  if(NOT name IN_LIST ASSAY_BASE_HEADERS AND NOT name IN_LIST ASSAY_TENSOR_HEADERS)
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
#define ASSAY_TENSOR_ABI_TAG ${ASSAY_TENSOR_ABI_TAG}
#define ASSAY_PLUGIN_TAG ASSAY_ABI_TAG   // assay/tensor.h defines it as the other one
${kinds_text}" @ONLY)
