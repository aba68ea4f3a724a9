// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "report/terminal.hpp"
#include "tests/catch.hpp"
#include "tests/report/samples.hpp"

using namespace lacuna::report;
using lacuna::test::contains;

namespace {

/// A terminal whose screen the test reads.
class Terminal {
 public:
  explicit Terminal(int master) : master_(master) {
    REQUIRE(::grantpt(master_) == 0);
    REQUIRE(::unlockpt(master_) == 0);
    stream_ = std::fopen(::ptsname(master_), "w");
    REQUIRE(stream_ != nullptr);
  }
  ~Terminal() {
    std::fclose(stream_);
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] std::FILE* stream() const { return stream_; }
  [[nodiscard]] std::string seen() const {
    std::string text;
    std::array<char, 4096> buffer{};
    pollfd waiting{master_, POLLIN, 0};
    while (::poll(&waiting, 1, 50) > 0) {
      const auto got = ::read(master_, buffer.data(), buffer.size());
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int master_;
  std::FILE* stream_ = nullptr;
};

/// None where the system has no pseudo-terminals, as in a bare root without /dev/pts.
int open_terminal() {
  return ::posix_openpt(O_RDWR | O_NOCTTY);
}

#define NEED_TERMINAL(master)                             \
  const int master = open_terminal();                     \
  if (master < 0) {                                       \
    WARN("skipped: this system has no pseudo-terminals"); \
    return;                                               \
  }

}  // namespace

TEST_CASE("progress is drawn on a terminal and erased at the end") {
  NEED_TERMINAL(master);
  const Terminal terminal(master);
  {
    ProgressBar bar("reading\na file", terminal.stream());
    const std::function<void(double)> callback = bar.callback();
    callback(0.5);
    callback(0.51);  // too soon to draw again
    const std::string line = terminal.seen();
    CHECK_THAT(line, contains("reading a file") && contains("50 %") && contains("[####"));
    CHECK_THAT(line, !contains("51 %"));
    CHECK(line.find('\n') == std::string::npos);
  }
  CHECK(terminal.seen() == "\r\x1b[K");
}

TEST_CASE("shares beyond the ends count as the ends") {
  for (const auto& [share, shown] : {std::pair{-1.0, "  0 %"}, {7.0, "100 %"}, {NAN, "  0 %"}}) {
    NEED_TERMINAL(master);
    const Terminal terminal(master);
    ProgressBar bar("x", terminal.stream());
    bar(share);
    CHECK_THAT(terminal.seen(), contains(shown));
  }
}

TEST_CASE("progress says nothing where nobody watches") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  {
    ProgressBar bar("x", file);
    bar(0.5);
  }
  CHECK(std::ftell(file) == 0);
  CHECK_FALSE(is_terminal(file));
  CHECK_FALSE(wants_color(file));
  CHECK(terminal_width(file, 77) == 77);
  std::fclose(file);
}
