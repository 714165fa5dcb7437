// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/trace_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <string_view>
#include <system_error>

#include "base/errors.h"

namespace convoy::launch {
namespace {

/// A whole number from 1 on; else 0.
std::int64_t parse_step(std::string_view text) {
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  return error == std::errc() && end == text.data() + text.size() && step > 0 ? step : 0;
}

}  // namespace

void TraceOptions::add_to(CLI::App& app) {
  app.add_option("--trace", file_,
                 "Write where the time of some steps goes, on all ranks, as a Chrome trace for "
                 "ui.perfetto.dev")
      ->type_name("FILE");
  app.add_option("--trace-steps", steps_,
                 "Trace steps A to B, counted from 1; default: 20 steps after the first 9")
      ->type_name("A:B");
}

trainer::TraceRequest TraceOptions::settle() const {
  require_config(steps_.empty() || !file_.empty(), "--trace-steps needs --trace FILE");
  trainer::TraceRequest request{.file = file_};
  if (steps_.empty()) return request;
  const auto colon = steps_.find(':');
  request.first_step = parse_step(steps_.substr(0, colon));
  request.last_step = colon == std::string::npos ? 0 : parse_step(steps_.substr(colon + 1));
  require_config(request.first_step > 0 && request.last_step >= request.first_step,
                 "--trace-steps " + steps_ + ": must be like 10:29, from step 1 on");
  return request;
}

}  // namespace convoy::launch
