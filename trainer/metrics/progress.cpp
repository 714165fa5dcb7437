// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/progress.h"

#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace convoy::trainer {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr const char* kClearLine = "\r\x1b[K";

std::size_t terminal_columns(std::FILE* stream) {
  winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

/// "[====>     ] " of `width` characters; nothing where there is no room for a bar worth seeing.
std::string bar(double share, std::size_t width) {
  constexpr std::size_t kFrame = 3;
  constexpr std::size_t kSmallest = 8;
  if (width < kFrame + kSmallest) return "";
  const std::size_t cells = width - kFrame;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string body(full, '=');
  if (full < cells) body += '>';
  body.resize(cells, ' ');
  return "[" + body + "] ";
}

/// "  12.3x fewer bytes".
std::string ratio_text(double compression_ratio) {
  return compression_ratio == 1.0 ? "" : fmt::format("  {:.1f}x fewer bytes", compression_ratio);
}

}  // namespace

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0.0) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::int64_t total_steps, std::int64_t first_step, std::FILE* stream)
    : total_steps_(std::max<std::int64_t>(total_steps, 1)),
      first_step_(first_step),
      stream_(stream),
      terminal_(::isatty(::fileno(stream)) == 1),
      start_(Clock::now()),
      last_draw_(start_ - kRedrawEvery) {}

Progress::~Progress() {
  if (!drawn_) return;
  std::fputs("\n", stream_);
  std::fflush(stream_);
}

void Progress::step(std::int64_t step, double loss, double samples_per_second,
                    double compression_ratio) {
  if (!terminal_) return;
  if (step < total_steps_ && Clock::now() - last_draw_ < kRedrawEvery) return;
  draw(step, loss, samples_per_second, compression_ratio);
}

void Progress::interval(const IntervalMetrics& metrics) {
  if (terminal_) {
    draw(metrics.step, metrics.loss, metrics.samples_per_second, metrics.compression_ratio);
    return;
  }
  print_line(fmt::format(
      "step {}/{}  epoch {}  loss {:.4f}  lr {:.3g}  {:.0f} samples/s{}  {} left", metrics.step,
      total_steps_, metrics.epoch, metrics.loss, metrics.learning_rate, metrics.samples_per_second,
      ratio_text(metrics.compression_ratio), time_left(metrics.step)));
}

void Progress::evaluation(const EvaluationMetrics& metrics) {
  auto line = fmt::format("evaluation at step {}  epoch {}  loss {:.4f}", metrics.step,
                          metrics.epoch, metrics.loss);
  if (!std::isnan(metrics.accuracy)) line += fmt::format("  accuracy {:.4f}", metrics.accuracy);
  print_line(line);
}

void Progress::draw(std::int64_t step, double loss, double samples_per_second,
                    double compression_ratio) {
  const double share =
      std::clamp(static_cast<double>(step) / static_cast<double>(total_steps_), 0.0, 1.0);
  auto text = fmt::format("{:3.0f} %  step {}/{}  loss {:.4f}  {:.0f} samples/s{}  {} left",
                          std::floor(100.0 * share), step, total_steps_, loss, samples_per_second,
                          ratio_text(compression_ratio), time_left(step));
  // The last column stays free: some terminals wrap as soon as it is filled.
  const std::size_t room = terminal_columns(stream_) - 1;
  text.resize(std::min(text.size(), room));
  constexpr std::size_t kWidestBar = 33;
  const auto line = bar(share, std::min(room - text.size(), kWidestBar)) + text;
  std::fprintf(stream_, "%s%s", kClearLine, line.c_str());
  std::fflush(stream_);
  drawn_ = true;
  last_draw_ = Clock::now();
}

void Progress::print_line(const std::string& line) {
  std::fprintf(stream_, "%s%s\n", drawn_ ? kClearLine : "", line.c_str());
  std::fflush(stream_);
  drawn_ = false;
}

std::string Progress::time_left(std::int64_t step) const {
  const std::chrono::duration<double> passed = Clock::now() - start_;
  if (step <= first_step_) return "?";
  const double seconds_per_step = passed.count() / static_cast<double>(step - first_step_);
  return format_duration(seconds_per_step * static_cast<double>(total_steps_ - step));
}

}  // namespace convoy::trainer
