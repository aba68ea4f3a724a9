// SPDX-License-Identifier: Apache-2.0
// Files that ask for more than they may: every limit holds before memory is taken.
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/file_reader.hpp"
#include "base/json_text.hpp"
#include "base/limits.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::scratch;

TEST_CASE("fault: a gzip file that inflates beyond what data does is refused as it inflates") {
  const auto file = scratch("bomb") / "a.gz";
  write_file(file, gzip(std::string(limits::kInflatedFloor + 2 * FileReader::kPiece, ' ')));
  CHECK_THAT(error_of([&] { (void)read_file(file); }),
             contains("a.gz: its ") && contains("inflate to more than 67,108,864") &&
                 contains("over 64 times"));
}

TEST_CASE("fault: a device without end is refused at a stated size") {
  CHECK_THAT(error_of([] { (void)read_small_file("/dev/zero", 1000, "a config.json"); }),
             contains("/dev/zero: holds more than 1,000 bytes; expected a config.json"));
  FileReader reader("/dev/zero", FileReader::Use::streamed);
  std::string piece;
  CHECK(reader.read(piece));
  CHECK_THAT(error_of([&] { reader.expect_at_most(1000, "the header says 1,000"); }),
             contains("/dev/zero: the header says 1,000"));
}

TEST_CASE("fault: a folder is no file, and a pipe without a writer does not wait for ever") {
  const auto folder = scratch("pipe");
  CHECK_THAT(error_of([&] { (void)read_file(folder); }), contains("is a folder"));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_THAT(error_of([&] { (void)read_file(folder / "fifo"); }),
             contains("is a pipe that nobody writes into"));
}

TEST_CASE("a pipe whose writer comes late, and pauses, is read whole") {
  const auto pipe = scratch("late") / "fifo";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] {
    using namespace std::chrono_literals;
    std::this_thread::sleep_for(100ms);
    const int end = ::open(pipe.c_str(), O_WRONLY);
    std::this_thread::sleep_for(100ms);
    CHECK(::write(end, "one ", 4) == 4);
    std::this_thread::sleep_for(100ms);
    CHECK(::write(end, "two", 3) == 3);
    ::close(end);
  });
  const std::string content = read_file(pipe);
  writer.join();
  CHECK(content == "one two");
}

TEST_CASE("fault: JSON that no parser takes is refused with its line, its key and the word") {
  const std::string file = "f.json";
  const auto error = [&](const std::string& text) {
    return error_of([&] { (void)parse_json(text, {file}); });
  };
  CHECK_THAT(error("{\"a\":\n [1, 1e999]}"),
             contains("f.json:2: a: not valid JSON: the number 1e999 is out of range"));
  CHECK_THAT(error("{\"a\": 1,\n\"b\": Infinity}"),
             contains("f.json:2: b: not valid JSON: 'Infinity' is no JSON number"));
  CHECK_THAT(error("{\"a\": -Infinity}"), contains("'-Infinity' is no JSON number"));
  CHECK_THAT(error("{\"a\":\nNaN}"), contains("f.json:2: a: not valid JSON: 'NaN' is no"));
  CHECK_THAT(error("[nan]"), contains("'nan' is no JSON number"));
  CHECK_THAT(error("{\"a\": None}"), contains("'None' is Python") && contains("null"));
  CHECK_THAT(error("{\"a\": \"\xff\"}"), contains("f.json:1: a: not valid JSON"));
  CHECK_THAT(error("{\"a\": [1"), contains("cut short"));
  CHECK_THAT(error(""), contains("f.json:1: not valid JSON"));
  CHECK_THAT(error("{}\n" + std::string(100'000, '[')),
             contains("f.json:2: nested deeper than 64 levels"));
  CHECK(error("{\"a\": \"" + std::string(1000, '[') + "\\\"[[\"}").empty());
  const JsonOrigin small{file, 1, 4};
  CHECK_THAT(error_of([&] { (void)parse_json("[1, 2]", small); }),
             contains("6 bytes of JSON are too many") && contains("at most 4"));
}

TEST_CASE("fault: a name of any length, among any number of names, is compared in no time") {
  std::vector<std::string> known(100'000, std::string(60, 'k'));
  CHECK(nearest(std::string(1U << 20, 'x'), known).empty());
  CHECK(suggest("q", known).size() < 10'000);
  CHECK_THAT(suggest("q", known), contains("expected one of 100000"));
}
