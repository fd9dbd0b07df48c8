# assay_add_plugin(NAME): builds NAME.cpp of the current folder into a plugin, and NAME_test.cpp beside it into the
# tests of its kind.
include_guard(GLOBAL)

function(assay_add_plugin name)
  add_library(plugin_${name} MODULE ${name}.cpp)
  target_link_libraries(plugin_${name} PRIVATE assay_flags assay::run)
  # Only the entry and the tag are visible; the library stays mapped for good; nothing is shared with another plugin.
  target_compile_options(plugin_${name} PRIVATE -fno-gnu-unique)
  target_link_options(plugin_${name} PRIVATE -Wl,-z,nodelete -Wl,--no-undefined
    "-Wl,--version-script=${ASSAY_CMAKE_DIR}/plugin.map")
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY "${ASSAY_PLUGIN_OUTPUT_DIRECTORY}" LINK_DEPENDS "${ASSAY_CMAKE_DIR}/plugin.map")
  set_property(GLOBAL APPEND PROPERTY ASSAY_PLUGINS plugin_${name})
  if(ASSAY_TESTS AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.cpp")
    set_property(GLOBAL APPEND PROPERTY ASSAY_PLUGIN_TESTS "${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.cpp")
  endif()
endfunction()
set(ASSAY_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "")
