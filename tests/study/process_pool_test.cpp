// SPDX-License-Identifier: Apache-2.0
#include "study/process_pool.hpp"

#include <signal.h>
#include <unistd.h>

#include <map>
#include <new>
#include <stdexcept>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

std::map<std::size_t, ProcessEnd> ends_of(const std::vector<ProcessJob>& jobs, unsigned at_once,
                                          const std::filesystem::path& scratch) {
  std::map<std::size_t, ProcessEnd> ends;
  run_in_processes(jobs, at_once, scratch, [&](std::size_t index, const ProcessEnd& end) {
    CHECK(ends.emplace(index, end).second);
  });
  return ends;
}

}  // namespace

TEST_CASE("every job of a pool runs once, in a process of its own") {
  const auto folder = scratch("pool_once");
  const pid_t parent = getpid();
  for (const unsigned at_once : {1U, 3U, 20U}) {
    std::vector<ProcessJob> jobs;
    for (std::size_t i = 0; i < 7; ++i) {
      jobs.push_back({"job", [&folder, i, parent] {
                        const auto file = folder / std::to_string(i);
                        if (getpid() != parent) write_file(file, std::to_string(i * i));
                      }});
    }
    const auto ends = ends_of(jobs, at_once, folder);
    CHECK(ends.size() == jobs.size());
    for (const auto& [index, end] : ends) {
      CHECK(end.code == 0);
      CHECK(end.why.empty());
      CHECK(read_file(folder / std::to_string(index)) == std::to_string(index * index));
      std::filesystem::remove(folder / std::to_string(index));
    }
  }
}

TEST_CASE("a job of a pool that ends badly says why and stops no other") {
  const auto folder = scratch("pool_faults");
  const std::vector<ProcessJob> jobs{
      {"input", [] { throw InputError("no such thing"); }},
      {"memory", [] { throw std::bad_alloc(); }},
      {"model", [] { throw std::runtime_error("sum is off"); }},
      {"signal", [] { raise(SIGKILL); }},
      {"code", [] { _exit(5); }},
      {"well", [] {}},
  };
  auto ends = ends_of(jobs, 2, folder);
  REQUIRE(ends.size() == jobs.size());
  CHECK(ends[0].code == 2);
  CHECK(ends[0].why.find("no such thing") != std::string::npos);
  CHECK(ends[1].code == 2);
  CHECK(ends[1].why == "not enough memory");
  CHECK(ends[2].code == 3);
  CHECK(ends[2].why == "internal error: sum is off");
  CHECK(ends[3].code == 3);
  CHECK(ends[3].why == "ended by signal 9");
  CHECK(ends[4].code == 5);
  CHECK(ends[4].why == "ended with code 5");
  CHECK(ends[5].code == 0);
  CHECK(std::filesystem::is_empty(folder));  // reasons are taken away
}

TEST_CASE("a pool without jobs ends at once") {
  CHECK(ends_of({}, 4, scratch("pool_empty")).empty());
}
