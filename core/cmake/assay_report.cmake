# The page of `assay report` as a source of the lab: our own HTML, CSS and JavaScript, and Chart.js with its licence, of
# Debian's package or as scripts/setup unpacks it.
include_guard(GLOBAL)
include(assay_embed)

set(chart_js "/usr/share/javascript/chart.js/chart.min.js")
set(chart_js_licence "/usr/share/doc/libjs-chart.js/copyright")
if(NOT EXISTS "${chart_js}" OR NOT EXISTS "${chart_js_licence}")   # containers often lack all documentation
  set(chart_js "${ASSAY_DEPS}/chart_js/chart.js")
  set(chart_js_licence "${ASSAY_DEPS}/chart_js/licence")
endif()
foreach(file "${chart_js}" "${chart_js_licence}")
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "Chart.js is neither in ${file} nor installed (Debian: libjs-chart.js); scripts/setup unpacks it")
  endif()
endforeach()

set(report "${CMAKE_CURRENT_LIST_DIR}/../src/report")
file(GLOB report_files CONFIGURE_DEPENDS RELATIVE "${report}" "${report}/*.html" "${report}/*.css" "${report}/*.js")
set(named_files chart.js "${chart_js}" chart.js.licence "${chart_js_licence}")
foreach(name IN LISTS report_files)
  list(APPEND named_files "${name}" "${report}/${name}")
endforeach()
assay_embed(report_files.cpp report/page.h assay::report report_files ${named_files})
set(ASSAY_REPORT_SOURCE "${CMAKE_BINARY_DIR}/generated/report_files.cpp")
