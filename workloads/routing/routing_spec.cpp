// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/routing_spec.hpp"

#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "workloads/routing/text_table.hpp"

namespace lacuna::routing {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

double number_in(const std::string& text, const std::string& what, double low, double high) {
  const auto value = parse_number(text);
  if (!value || !(*value >= low && *value <= high)) {
    bad_routing(fmt::format("{} {}", what, excerpt(text)),
                fmt::format("expected a number from {} to {}", low, high));
  }
  return *value;
}

std::uint32_t integer_in(const std::string& text, const std::string& what, std::uint64_t low,
                         std::uint64_t high) {
  const auto value = parse_integer(text);
  if (!value || *value < low || *value > high) {
    bad_routing(fmt::format("{} {}", what, excerpt(text)),
                fmt::format("expected an integer from {} to {}", low, high));
  }
  return static_cast<std::uint32_t>(*value);
}

void take_item(const std::string& item, RoutingSpec& spec) {
  const auto equals = item.find('=');
  const std::string key = item.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : item.substr(equals + 1);
  if (value.empty()) bad_routing(fmt::format("'#{}' has no value", key), "expected #key=value");
  if (key == "model") {
    spec.load.model = value;
  } else if (key == "experts") {
    spec.load.experts = integer_in(value, key, 1, 0xFFFE);
  } else if (key == "layer") {
    spec.load.layer = integer_in(value, key, 0, 0xFFFE);
  } else if (key == "domain") {
    spec.domain = value;
  } else if (key == "topk") {
    spec.top_k = integer_in(value, key, 1, 0xFFFE);
  } else if (key == "array") {
    spec.load.array = value;
  } else if (key == "dummy") {
    spec.load.dummy_run = integer_in(value, key, 0, 0xFFFFFFFF);
  } else if (key == "ragged" && value == "allow") {
    spec.load.allow_ragged = true;
  } else if (key == "as" && value == "counts") {
    spec.load.as_counts = true;
  } else if (key == "map") {
    spec.mapping = value;
  } else {
    bad_routing(fmt::format("'#{}'", item),
                suggest(key, {"model", "experts", "layer", "domain", "topk", "array", "dummy",
                              "ragged=allow", "as=counts", "map"}));
  }
}

bool take_generator(const std::string& text, RoutingSpec& spec) {
  const auto parts = split(text, ':');
  const std::string& kind = parts[0];
  const auto arity = [&](std::size_t least, std::size_t most, const char* usage) {
    if (parts.size() < least || parts.size() > most) {
      bad_routing(fmt::format("'{}'", text), fmt::format("expected {}", usage));
    }
  };
  if (kind == "uniform" || kind == "balanced") {
    arity(1, 1, kind.c_str());
    spec.kind = kind == "uniform" ? RoutingSpec::Kind::kUniform : RoutingSpec::Kind::kBalanced;
  } else if (kind == "power-law") {
    arity(2, 3, "power-law:ALPHA or power-law:ALPHA:RANKS");
    spec.kind = RoutingSpec::Kind::kPowerLaw;
    spec.parameter = number_in(parts[1], "power-law exponent", 0, 10);
    if (parts.size() == 3) spec.ranks = integer_in(parts[2], "ranks", 1, 0xFFFE);
  } else if (kind == "correlated") {
    arity(2, 2, "correlated:P");
    spec.kind = RoutingSpec::Kind::kCorrelated;
    spec.parameter = number_in(parts[1], "repeat probability", 0, 0.9999);
  } else {
    return false;
  }
  return true;
}

}  // namespace

void bad_routing(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{"", 0, "routing"}, problem, suggestion);
}

RoutingSpec parse_routing_spec(const std::string& text) {
  RoutingSpec spec;
  if (text.empty())
    bad_routing("empty", "expected uniform, power-law:1.01, counts:FILE or a trace file");
  if (take_generator(text, spec)) return spec;
  auto parts = split(text, '#');
  constexpr std::string_view prefix = "counts:";
  const bool counts = parts[0].starts_with(prefix);
  spec.kind = counts ? RoutingSpec::Kind::kCounts : RoutingSpec::Kind::kTrace;
  spec.file = counts ? parts[0].substr(prefix.size()) : parts[0];
  std::error_code ignored;
  if (!std::filesystem::exists(spec.file, ignored)) {
    bad_routing(fmt::format("'{}' is neither a kind of routing nor a file", parts[0]),
                suggest(split(parts[0], ':')[0],
                        {"uniform", "balanced", "power-law:ALPHA", "correlated:P", "counts:FILE"}));
  }
  for (std::size_t i = 1; i < parts.size(); ++i) take_item(parts[i], spec);
  return spec;
}

void refuse_choice_of_set(const RoutingSpec& spec) {
  if (!spec.domain && !spec.top_k) return;
  throw InputError(Place{spec.file, 0, ""},
                   fmt::format("#{} chooses a set of counts, and this is a trace, which is one",
                               spec.domain ? "domain" : "topk"),
                   "leave it out");
}

}  // namespace lacuna::routing
