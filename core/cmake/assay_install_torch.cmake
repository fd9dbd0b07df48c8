# At installation: <prefix>/lib/libtorch holds what assay's programs and plugins link of LibTorch in ASSAY_TORCH_DIR, laid
# out as the wheels are, since their RPATHs are relative; <prefix>/lib/torch is where ours look. Hard links, or copies
# where the file system has none. A CUDA build links far more, of a LibTorch that somebody else installed: it refers to
# that by a link.
set(lib "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib")
file(REMOVE_RECURSE "${lib}/libtorch" "${lib}/torch")
file(MAKE_DIRECTORY "${lib}/libtorch")
file(CREATE_LINK libtorch/torch/lib "${lib}/torch" SYMBOLIC)
if(ASSAY_CUDA)
  file(CREATE_LINK "${ASSAY_TORCH_DIR}" "${lib}/libtorch/torch" SYMBOLIC)
  return()
endif()

# carry(FROM TO FILE...): files below FROM to the same places below TO.
function(carry from to)
  foreach(file IN LISTS ARGN)
    file(RELATIVE_PATH file "${from}" "${file}")
    get_filename_component(folder "${to}/${file}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    file(CREATE_LINK "${from}/${file}" "${to}/${file}" COPY_ON_ERROR)
  endforeach()
endfunction()

message(STATUS "Installing: ${lib}/libtorch")
file(REAL_PATH "${ASSAY_TORCH_DIR}" torch)
file(REAL_PATH "${torch}/../nvidia" nvidia)
file(GLOB_RECURSE headers "${torch}/include/*")
file(GLOB libraries "${torch}/lib/libtorch_cpu.so" "${torch}/lib/libc10.so" "${torch}/lib/libgomp*")
carry("${torch}" "${lib}/libtorch/torch" "${torch}/version.py" ${headers} ${libraries})
file(GLOB libraries "${nvidia}/cu13/lib/libcudart.so.*" "${nvidia}/cu13/lib/libcupti.so.*")
carry("${nvidia}" "${lib}/libtorch/nvidia" ${libraries})
