// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/random.hpp"
#include "base/statistics.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("decimal and binary units differ as written") {
  CHECK(parse_bytes("30 MiB") == Bytes(31457280));
  CHECK(parse_bytes("30 MB") == Bytes(30000000));
  CHECK(parse_bytes("1.5 KiB") == Bytes(1536));
  CHECK_FALSE(parse_bytes("0.5 B"));
  CHECK_FALSE(parse_bytes("30"));
  CHECK_FALSE(parse_bytes("-1 KiB"));
  CHECK(*parse_bytes_per_cycle("68.256 GiB/s", Hertz(1e9)) == lacuna::test::Approx(73.289321939));
  CHECK(*parse_bytes_per_cycle("2048 B/cycle", Hertz(2e9)) == 2048.0);
  CHECK(*parse_picojoules_per_bit("64 pJ/B") == 8.0);
  CHECK(parse_cycles("40.5 ns", Hertz(1e9)) == Cycles(41));
  CHECK(parse_integer("1e6") == 1000000U);
  CHECK_FALSE(parse_integer("12x"));
  CHECK(grouped(1650800) == "1,650,800");
  CHECK(to_text(Bytes(31457280)) == "30 MiB");
}

TEST_CASE("random streams depend on seed and name alone") {
  RandomStream a(1, "x"), b(1, "x"), c(1, "y");
  CHECK(a() == b());
  CHECK(a() != c());
  const auto picks = a.sample(1000, 100);
  CHECK(std::set<std::uint64_t>(picks.begin(), picks.end()).size() == 100);
  CHECK(a.sample(5, 100) == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("the quantile is the smallest value that covers the share") {
  std::vector<std::uint64_t> values{5, 1, 4, 2, 3, 6, 7, 8, 9, 10};
  CHECK(quantile(values, 0.9) == 9);
  CHECK(quantile(values, 1.0) == 10);
  CHECK(quantile(values, 0.0) == 1);
}

TEST_CASE("a written file appears whole or not at all") {
  const auto folder = lacuna::test::scratch("write");
  write_file(folder / "a.txt", "hello");
  CHECK(read_file(folder / "a.txt") == "hello");
  CHECK(sha256_of(folder / "a.txt") ==
        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  // A pipe has been read by the time somebody asks; opening it again would wait for ever.
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(sha256_of(folder / "pipe") == "unknown: a pipe");
  CHECK_THROWS_AS(write_file(folder / "none" / "a.txt", "x"), InputError);
  CHECK_THROWS_AS(read_file(folder / "absent"), InputError);
  CHECK_THROWS_AS(read_file(folder), InputError);
  if (std::filesystem::exists("/dev/full")) {
    CHECK_THROWS_AS(write_file("/dev/full/x", "x"), InputError);
  }
}
