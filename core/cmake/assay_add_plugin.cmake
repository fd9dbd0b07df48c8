# assay_add_plugin(NAME): builds NAME.cpp of the current folder into a plugin. NAME_test.cpp and NAME_*_test.cpp beside
# it become, in assay's own tree, a part of plugin_tests; elsewhere, a test of its own with GoogleTest, when
# enable_testing() was called.
include_guard(GLOBAL)

function(assay_add_plugin name)
  add_library(plugin_${name} MODULE ${name}.cpp)
  set(standard_library "")
  if(ASSAY_STANDARD_LIBRARY MATCHES "^libstdcxx")
    set(standard_library stdc++)
  endif()
  # LibTorch's libraries export a few functions of libstdc++; without this order a plugin that uses no tensors would need
  # LibTorch for their sake.
  target_link_libraries(plugin_${name} PRIVATE assay_flags ${standard_library} assay::run)
  # Only the entry and the tag are visible; the library stays mapped for good; nothing is shared with another plugin.
  target_compile_options(plugin_${name} PRIVATE -fno-gnu-unique $<$<CONFIG:Release>:-O2 -UNDEBUG>)
  target_link_options(plugin_${name} PRIVATE -Wl,-z,nodelete -Wl,--no-undefined -Wl,--as-needed
    "-Wl,--version-script=${ASSAY_CMAKE_DIR}/plugin.map")
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${ASSAY_PLUGIN_OUTPUT_DIRECTORY}" LINK_DEPENDS "${ASSAY_CMAKE_DIR}/plugin.map")
  set_property(GLOBAL APPEND PROPERTY ASSAY_PLUGINS plugin_${name})
  file(GLOB tests CONFIGURE_DEPENDS ${name}_test.cpp ${name}_*_test.cpp)
  if(NOT ASSAY_PREFIX)
    assay_precompiled_tensors(plugin_${name} ${name}.cpp)
    install(TARGETS plugin_${name} LIBRARY DESTINATION lib/assay/plugins)
    if(ASSAY_TESTS AND tests)
      set_property(GLOBAL APPEND PROPERTY ASSAY_PLUGIN_TESTS ${tests})
    endif()
  elseif(tests AND CMAKE_TESTING_ENABLED)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE assay::testing GTest::gtest GTest::gmock GTest::gtest_main)
    add_dependencies(${name}_test plugin_${name})
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "ASSAY_PLUGIN_PATH=${ASSAY_PLUGIN_OUTPUT_DIRECTORY}:${ASSAY_PREFIX}/lib/assay/plugins;OMP_NUM_THREADS=1")
  endif()
endfunction()
set(ASSAY_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "")
