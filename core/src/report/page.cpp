#include "report/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "compare/formats/escape.h"

namespace assay::report {
namespace {

using Json = nlohmann::ordered_json;

// Replaces {{name}} in the template by its text; inserted text is not scanned again.
std::string filled(const std::string& text, const std::map<std::string, std::string>& parts) {
  std::string result;
  size_t from = 0;
  for (size_t open; (open = text.find("{{", from)) != std::string::npos;) {
    const auto close = text.find("}}", open);
    result += text.substr(from, open - from);
    result += parts.at(text.substr(open + 2, close - open - 2));
    from = close + 2;
  }
  return result + text.substr(from);
}

// A source of Content-Security-Policy: 'sha256-<base64>' (CSP level 3, sec. 2.3.1).
std::string policy_source(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw Bug("SHA-256 is not available");
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(base64.data()));
}

// A <script> element must not contain "<", because "</script" would end it and "<!--" would change its meaning. JSON
// has "<" only in strings, where an escape is the same character.
std::string json_block(const Json& data) {
  std::string result;
  for (const char character : data.dump(-1, ' ', false, Json::error_handler_t::replace))
    result += character == '<' ? std::string("\\u003c") : std::string(1, character);
  return result;
}

}  // namespace

std::string page_with(const Json& data, int reload_seconds) {
  const auto& files = report_files();
  auto with_reload = data;
  with_reload["reload_seconds"] = reload_seconds;
  const auto experiment = Json(data.at("experiment")).dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto script = files.at("theme.js") + files.at("table.js") + files.at("curves.js") + files.at("page.js");
  const auto policy =
      fmt::format("default-src 'none'; script-src {} {}; style-src {}; base-uri 'none'; form-action 'none'",
                  policy_source(files.at("chart.js")), policy_source(script), policy_source(files.at("page.css")));
  return filled(files.at("page.html"), {{"policy", policy},
                                        {"title", compare::escaped_html(Json::parse(experiment).get<std::string>())},
                                        {"style", files.at("page.css")},
                                        {"chart_js", files.at("chart.js")},
                                        {"chart_js_licence", compare::escaped_html(files.at("chart.js.licence"))},
                                        {"script", script},
                                        {"data", json_block(with_reload)}});
}

}  // namespace assay::report
