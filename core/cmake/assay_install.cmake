# cmake --install: programs, libraries, plugins, and the SDK against which a plugin outside of this tree is built (headers,
# find_package(assay), assay_add_plugin). Moves as a whole, and needs nothing of this tree: what it links of LibTorch
# is a part of it.
include_guard(GLOBAL)

install(TARGETS assay assay-worker assay_worker assay_check assay_lab assay_run assay_testing
        RUNTIME DESTINATION bin LIBRARY DESTINATION lib ARCHIVE DESTINATION lib)
install(DIRECTORY "${CMAKE_CURRENT_LIST_DIR}/../include/assay" DESTINATION include)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/assay_add_plugin.cmake" "${CMAKE_CURRENT_LIST_DIR}/assay_abi_tag.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/assay_torch.cmake" "${CMAKE_CURRENT_LIST_DIR}/plugin.map"
        DESTINATION lib/cmake/assay)
include(CMakePackageConfigHelpers)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/assayConfigVersion.cmake" COMPATIBILITY ExactVersion)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/assayConfig.cmake" "${CMAKE_BINARY_DIR}/assayConfigVersion.cmake"
        DESTINATION lib/cmake/assay)
install(CODE "set(ASSAY_TORCH_DIR \"${ASSAY_TORCH_DIR}\")\nset(ASSAY_CUDA \"${ASSAY_CUDA}\")")
install(SCRIPT "${CMAKE_CURRENT_LIST_DIR}/assay_install_torch.cmake")
