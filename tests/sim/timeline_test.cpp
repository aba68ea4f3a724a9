// SPDX-License-Identifier: Apache-2.0
// Is the timeline a trace that viewers open, whatever it holds?
#include "sim/timeline.hpp"

#include "tests/catch.hpp"

using namespace lacuna;
using sim::Timeline;

TEST_CASE("rows are found again by name, and slices name their row") {
  Timeline timeline;
  const unsigned pes = timeline.row("pes");
  const unsigned dram = timeline.row("dram");
  CHECK(pes != dram);
  CHECK(timeline.row("pes") == pes);
  timeline.slice(dram, "read", Cycles(5), Cycles(9), 64, "bytes");
  const std::string trace = timeline.chrome_trace();
  CHECK(
      trace.find(R"("ph":"X","pid":1,"tid":1,"name":"read","ts":5,"dur":4,"args":{"bytes":64})") !=
      std::string::npos);
  CHECK(trace.find(R"("args":{"name":"dram"})") != std::string::npos);
}

TEST_CASE("slices beyond the limit are counted, not kept") {
  Timeline timeline(2);
  for (std::uint64_t i = 0; i < 5; ++i) {
    timeline.slice(timeline.row("u"), "s", Cycles(i), Cycles(i + 1), 1, "items");
  }
  CHECK(timeline.dropped() == 3);
  CHECK(timeline.chrome_trace().find("\"dropped_slices\":3") != std::string::npos);
}

TEST_CASE("an empty timeline is still a trace") {
  const std::string trace = Timeline().chrome_trace();
  CHECK(trace.front() == '{');
  CHECK(trace.find("\"traceEvents\":[\n\n]}") != std::string::npos);
}
