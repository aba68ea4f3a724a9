// SPDX-License-Identifier: Apache-2.0
// Damaged files are refused at the record's line, and nothing ever crashes.
#include <algorithm>

#include "base/error.hpp"
#include "base/random.hpp"
#include "tests/workloads/routing/fixtures.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::contains;
using lacuna::test::load_error;

namespace {

struct Sample {
  std::string name;
  std::string text;
};

std::vector<Sample> samples() {
  return {{"compact.csv", test::kCompactCsv},     {"community.jsonl", test::community_jsonl()},
          {"mixtral.jsonl", test::kMixtralJsonl}, {"dense.csv", test::kDenseCsv},
          {"ai2.jsonl", test::kAi2Jsonl},         {"balance.jsonl", test::kBalanceJsonl},
          {"counts.csv", test::kCountCsv}};
}

/// Loads; only an InputError with the file's name may come out.
void load_or_refuse(const std::string& name, const std::string& text) {
  const auto path = test::fixture("damaged_" + name, text);
  try {
    static_cast<void>(load_routing(path));
  } catch (const InputError& error) {
    INFO(error.what());
    CHECK(contains(error.what(), "damaged_" + name));
  }
}

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find('\n', from) + 1;
    out.push_back(text.substr(from, end - from));
    from = end;
  }
  return out;
}

}  // namespace

TEST_CASE("a file cut at any byte is read or refused, never more") {
  for (const auto& sample : samples()) {
    for (std::size_t size = 0; size < sample.text.size(); size += 1 + size / 200) {
      load_or_refuse(sample.name, sample.text.substr(0, size));
    }
  }
}

TEST_CASE("a file cut within a record names the record's line") {
  for (const auto& sample : samples()) {
    const auto lines = lines_of(sample.text);
    std::string head;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string name = "cut_" + sample.name;
      const std::string half = lines[i].substr(0, lines[i].size() / 2);
      const std::string error = load_error(name, head + half);
      INFO(name << " line " << i + 1 << ": " << error);
      CHECK(contains(error, fmt::format("{}:{}", name, i + 1)));
      head += lines[i];
    }
  }
}

TEST_CASE("a file cut between records is refused where layers no longer agree") {
  const auto lines = lines_of(test::kCompactCsv);
  std::string head;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    head += lines[i];
    const std::string error = load_error("cutline.csv", head);
    INFO(i << ": " << error);
    // Up to the end of the first layer (line 8) nothing tells that there was a second.
    const bool whole = (i >= 1 && i <= 7) || i + 1 == lines.size();
    CHECK(error.empty() == whole);
    if (i > 7 && !whole) CHECK(contains(error, fmt::format("cutline.csv:{}", i + 1)));
  }
  LoadOptions allow;
  allow.allow_ragged = true;
  const std::string cut = test::kCompactCsv.substr(0, test::kCompactCsv.rfind("2,decode"));
  CHECK(load_error("ragged.csv", cut, allow).empty());
}

TEST_CASE("shuffled records are refused with the line that is out of order") {
  for (const auto& sample : samples()) {
    if (sample.name == "counts.csv" || sample.name == "ai2.jsonl" ||
        sample.name == "balance.jsonl") {
      continue;  // their records carry no order
    }
    auto lines = lines_of(sample.text);
    const std::string header = lines.front();
    const bool headed = sample.name != "mixtral.jsonl";
    if (headed) lines.erase(lines.begin());
    std::reverse(lines.begin(), lines.end());
    std::string text = headed ? header : "";
    for (const auto& line : lines) text += line;
    const std::string error = load_error("shuffled_" + sample.name, text);
    INFO(error);
    CHECK(contains(error, "shuffled_" + sample.name + ":"));
    CHECK(contains(error, "expected"));
  }
}

TEST_CASE("random line swaps and byte flips never crash") {
  RandomStream random(1, "damage");
  for (const auto& sample : samples()) {
    for (int trial = 0; trial < 60; ++trial) {
      std::string text = sample.text;
      for (int i = 0; i < 3; ++i) {
        text[static_cast<std::size_t>(random.below(text.size()))] =
            static_cast<char>(random.below(256));
      }
      load_or_refuse(sample.name, text);
      auto lines = lines_of(sample.text);
      random.shuffle(lines);
      std::string mixed;
      for (const auto& line : lines) mixed += line;
      load_or_refuse(sample.name, mixed);
    }
  }
}

TEST_CASE("bad ids are refused at their line in every format") {
  struct Case {
    std::string name, text, expect;
  };
  const auto& csv = test::kCompactCsv;
  const std::string jsonl = test::community_jsonl();
  const auto& mixtral = test::kMixtralJsonl;
  const std::vector<Case> cases = {
      {"a.csv", replace(csv, "0,prefill,1,0,3,0", "0,prefill,1,0,3,-1"), "a.csv:3: expert id -1"},
      {"b.csv", replace(csv, "0,prefill,1,0,3,0", "0,prefill,1,0,3,3"),
       "b.csv:3: expert 3 appears"},
      {"c.csv", replace(csv, "0,prefill,1,0,3,0", "0,prefill,1,0,3,99999"), "c.csv:3: expert id"},
      {"d.csv", replace(csv, "0,prefill,1,0,3,0,", "0,prefill,1,0,3,"), "d.csv:3: 7 fields"},
      {"e.csv", replace(csv, "0,prefill,1,0,3,0", "0,prefill,1,0,3,x"), "e.csv:3: e1 = 'x'"},
      {"f.csv", replace(csv, "0.5,0.3", "nan,0.3"), "f.csv:3: w0 = 'nan'"},
      {"g.csv", replace(csv, "0.5,0.3", "7,0.3"), "g.csv:3: routing weight 7"},
      {"h.csv", replace(csv, "0.5,0.3", "0.9,0.3"), "h.csv:3: routing weights sum"},
      {"i.csv", replace(csv, "0,prefill,1", "0,verify,1"), "i.csv:3: phase"},
      {"a.jsonl", replace(jsonl, "[2,3]", "[2,-3]"), "a.jsonl:4: expert id -3"},
      {"b.jsonl", replace(jsonl, "[2,3]", "[2,3,1]"), "b.jsonl:4: 3 expert ids"},
      {"c.jsonl", replace(jsonl, "[2,3]", "[2,2]"), "c.jsonl:4: expert 2 appears"},
      {"d.jsonl", replace(jsonl, "[2,3]", "[2,1e30]"), "d.jsonl:4"},
      {"e.jsonl", replace(jsonl, "[2,3]", "[2,\"3\"]"), "e.jsonl:4: 'topk_ids' holds a string"},
      {"f.jsonl", replace(jsonl, "[2,3]", "2"), "f.jsonl:4: 'topk_ids' is not a list"},
      {"g.jsonl",
       replace(jsonl, "[2,3],\"topk_weights\":[0.75,0.25]", "[2,3],\"topk_weights\":[NaN,0.25]"),
       "g.jsonl:4: "},
      {"h.jsonl",
       replace(jsonl, "[2,3],\"topk_weights\":[0.75,0.25]", "[2,3],\"topk_weights\":[1e999,0.25]"),
       "h.jsonl:4"},
      {"m.jsonl", replace(mixtral, "[1, 2]", "[1]"), "m.jsonl:2: 1 expert ids"},
      {"n.jsonl", replace(mixtral, "[0.7, 0.3]", "[0.7]"), "n.jsonl:2: 1 weights"},
      {"o.jsonl", replace(mixtral, "[0.7, 0.3]", "[0.7, 0.1]"), "o.jsonl:2: routing weights sum"},
      {"p.jsonl", replace(mixtral, "\"layer\": 0, ", ""), "p.jsonl:1: no key 'layer'"},
      {"q.jsonl", replace(test::kAi2Jsonl, "[2,3,0]", "[2,3]"), "q.jsonl:1: exp_ids has 2 layers"},
      {"r.jsonl", replace(test::kAi2Jsonl, "[2,3,0]", "[2,-3,0]"), "r.jsonl:1: expert id -3"},
      {"s.jsonl", replace(test::kBalanceJsonl, "[0,1],[1,2]", "[0,1]"), "s.jsonl:1: 1 tokens"},
      {"t.csv", replace(test::kDenseCsv, "0.250000", "0.000000"), "t.csv:3: 1 expert ids"},
      {"u.csv", replace(test::kDenseCsv, "0.250000", "-0.25"), "u.csv:3: score"},
      {"v.csv", replace(test::kCountCsv, ",1,3\n", ",1,-3\n"), "v.csv:3: count = -3"},
      {"w.csv", replace(test::kCountCsv, "code,0,1,3", "code,0,0,3"), "w.csv:3: expert 0 of layer"},
  };
  for (const auto& c : cases) {
    const std::string error = load_error(c.name, c.text);
    INFO(c.name << ": " << error);
    CHECK(contains(error, c.expect));
  }
}

TEST_CASE("a stated number of experts bounds the ids") {
  LoadOptions options;
  options.experts = 3;
  const std::string error = load_error("e3.csv", test::kCompactCsv, options);
  CHECK(contains(error, "e3.csv:2: expert id 3 is not below the 3 experts"));
  CHECK(contains(error, "physical"));
  options.experts = 0;
  CHECK(contains(load_error("e0.csv", test::kCompactCsv, options), "0 experts"));
}

TEST_CASE("files that are no routing are refused with the reason") {
  CHECK(contains(load_error("empty", ""), "empty"));
  CHECK(contains(load_error("blank", "\n\n"), "blank"));
  CHECK(contains(load_error("garbage", std::string("\x01\x02\x00\xff", 4)), "binary data"));
  CHECK(contains(load_error("model.gguf", "GGUF\x03"), "GGUF"));
  CHECK(contains(load_error("a.pkl", "\x80\x04\x95"), "pickle"));
  CHECK(contains(load_error("x.csv", "a,b\n1,2\n"), "columns 'a,b'"));
  CHECK(contains(load_error("x.json", "{\"a\": 1}"), "no known routing format"));
  CHECK(contains(load_error("t.csv", "layer,target,effective,q\n"), "activation"));
  CHECK(contains(load_error("m.json", "[{\"0\": [\"vertical_and_slash\", 1, 2, 0.5]}]"),
                 "attention"));
  CHECK(contains(load_error("head.jsonl", test::route_line(0, 0, 1, 2)), "header line"));
  CHECK(contains(load_error("rows.csv", "layer,tok,e0\n"), "no routing records"));
  CHECK(contains(load_error("dup.csv", "layer,tok,e0,e0\n"), "appears twice"));
  CHECK(contains(load_error("deep.jsonl", "{\"exp_ids\":" + std::string(100000, '[')), "deep"));
  CHECK(contains(load_error("deep2.json", "{\"logical_count\":" + std::string(100000, '[')),
                 "nested deeper"));
  CHECK(contains(load_error("listed.jsonl", test::kCommunityMeta + test::route_line(0, 0, 1, 2)),
                 "lists layer 1"));
}

TEST_CASE("a damaged id never asks for memory of its size") {
  std::string text = "layer,expert,count\n";
  for (int l = 0; l < 2000; ++l) text += fmt::format("{},65000,1\n", l);
  CHECK(contains(load_error("huge.csv", text), "an id is damaged"));
}
