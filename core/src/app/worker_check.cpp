#include "app/worker_check.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "check/check.h"
#include "check/stand_ins.h"

namespace assay::app {
using nlohmann::json;

namespace {

// Flushes immediately, because the next property may terminate the process, and starts a new line, because a plugin may
// have written an incomplete one.
void write_line(const json& line) {
  std::cout << "\n" << line.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
}

}  // namespace

extern "C" ASSAY_API void assay_worker_check(const json& request) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : request.at("files")) files.emplace_back(file.get<std::string>());
  loader::Registry registry(files);
  registry.add(check::stand_ins());
  const check::Observer observer{
      [](const std::string& component, const std::string& property) {
        write_line({{"begins", property}, {"component", component}});
      },
      [](const check::Finding& finding) {
        write_line({{"component", finding.component}, {"property", finding.property}, {"fault", finding.fault}});
      }};
  check::check_component(registry, request.at("kind"), request.at("name"), request.at("given"), observer);
  write_line({{"done", true}});
}

}  // namespace assay::app
