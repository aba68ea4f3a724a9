// SPDX-License-Identifier: Apache-2.0
// What is at the other end of a stream, and a progress line for it when it is a person.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>

namespace lacuna::report {

[[nodiscard]] bool is_terminal(std::FILE* stream);

/// A terminal that shows colours: not when NO_COLOR is set or TERM is "dumb".
[[nodiscard]] bool wants_color(std::FILE* stream);

/// Columns of the terminal; `otherwise` when there is none or it does not say.
[[nodiscard]] unsigned terminal_width(std::FILE* stream, unsigned otherwise = 100);

/// One line that is drawn over itself and erased at the end; silent when the stream is not a
/// terminal. Give it away as std::ref(bar) or bar.callback(); it must outlive its users.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label, std::FILE* stream = stderr);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `share` of the work done, in [0, 1]; anything else counts as its nearest bound. Cheap to call
  /// often: draws at most ten times a second.
  void operator()(double share);
  /// Takes the line away, so that something else can be printed; the next call draws it again.
  void erase();
  [[nodiscard]] std::function<void(double)> callback();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(double share, Clock::time_point now);

  std::string label_;
  std::FILE* stream_;
  bool on_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point last_{};
};

}  // namespace lacuna::report
