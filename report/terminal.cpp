// SPDX-License-Identifier: Apache-2.0
#include "report/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

std::string remaining(double share, double seconds) {
  // Guesses from the first moments are wrong by orders of magnitude.
  if (seconds < 2 || share < 0.01 || share >= 1) return {};
  const double left = std::min(seconds * (1 - share) / share, 359'999.0);
  const auto whole = static_cast<unsigned>(std::ceil(left));
  if (whole < 100) return fmt::format("  {} s left", whole);
  if (whole < 6000) return fmt::format("  {} min left", (whole + 59) / 60);
  return fmt::format("  {} h left", (whole + 3599) / 3600);
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

bool wants_color(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return is_terminal(stream) && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

unsigned terminal_width(std::FILE* stream, unsigned otherwise) {
  winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : otherwise;
}

ProgressBar::ProgressBar(std::string label, std::FILE* stream)
    : label_(clean(label)), stream_(stream), on_(is_terminal(stream)), start_(Clock::now()) {}

ProgressBar::~ProgressBar() {
  erase();
}

void ProgressBar::operator()(double share) {
  if (!on_) return;
  const auto now = Clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  draw(share >= 0 ? std::min(share, 1.0) : 0.0, now);  // the comparison is false for NaN
}

void ProgressBar::draw(double share, Clock::time_point now) {
  const std::size_t columns = terminal_width(stream_, 80);
  const std::string tail =
      fmt::format(" {:3.0f} %{}", std::floor(100 * share),
                  remaining(share, std::chrono::duration<double>(now - start_).count()));
  const std::string label = shorten(label_, columns / 2);
  const std::size_t taken = display_width(label) + display_width(tail) + 4;
  std::string line = label;
  if (columns > taken + 5) {
    const std::size_t room = std::min<std::size_t>(columns - taken, 40);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(room));
    line += " [" + std::string(full, '#') + std::string(room - full, '.') + "]";
  }
  // Back to the first column, the line, and erase what an earlier, longer one left.
  fmt::print(stream_, "\r{}{}\x1b[K", line, tail);
  std::fflush(stream_);
  drawn_ = true;
  last_ = now;
}

void ProgressBar::erase() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
  drawn_ = false;
}

std::function<void(double)> ProgressBar::callback() {
  return std::ref(*this);
}

}  // namespace lacuna::report
