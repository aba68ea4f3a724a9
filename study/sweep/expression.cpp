// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/expression.hpp"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::uint64_t off_chip(const RunResult& r, bool reads, bool writes) {
  const auto dram = r.statistics.traffic.find("dram");
  if (dram == r.statistics.traffic.end()) return 0;
  std::uint64_t bytes = 0;
  for (const auto& [tensor, moved] : dram->second) {
    bytes += (reads ? moved.read_bytes : 0) + (writes ? moved.write_bytes : 0);
  }
  return bytes;
}

template <int kPower, int kBase = 10>
double scaled(double value) {
  double factor = 1;
  for (int i = 0; i < (kPower < 0 ? -kPower : kPower); ++i) factor *= kBase;
  return kPower < 0 ? value / factor : value * factor;
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all{
      {"cycles", "of the run"},
      {"time", "s"},
      {"energy", "J"},
      {"power", "W, energy over time"},
      {"edp", "J s"},
      {"area", "mm2"},
      {"dram_bytes", "off-chip, read and written"},
      {"dram_read_bytes", "off-chip"},
      {"dram_write_bytes", "off-chip"},
      {"macs_dense", "multiply-accumulates of the einsum"},
      {"macs_effectual", "of two nonzeros"},
      {"cycles_bound", "of the busiest block"},
      {"tokens", "of a step of a model"},
      {"tokens_per_s", "of a step of a model"},
      {"loss", "as the table beside an axis says"},
  };
  return all;
}

std::vector<double> measure(const RunResult& r) {
  const double joules = r.energy.total_picojoules * 1e-12, seconds = r.seconds();
  const auto count = [](std::uint64_t n) { return static_cast<double>(n); };
  const bool step = r.step.tokens > 0;
  return {count(r.statistics.cycles.count()),
          seconds,
          joules,
          seconds > 0 ? joules / seconds : kNone,
          joules * seconds,
          r.energy.area_um2 * 1e-6,
          count(off_chip(r, true, true)),
          count(off_chip(r, true, false)),
          count(off_chip(r, false, true)),
          count(r.macs_dense),
          count(r.statistics.macs_effectual),
          count(r.statistics.cycles_bound.count()),
          step ? count(r.step.tokens) : kNone,
          step ? r.tokens_per_second() : kNone,
          kNone};
}

void reprice(std::vector<double>& values, double joules, double mm2) {
  const double seconds = values[kTimeMeasure];
  values[kEnergyMeasure] += joules;
  values[kPowerMeasure] = seconds > 0 ? values[kEnergyMeasure] / seconds : kNone;
  values[kEdpMeasure] = values[kEnergyMeasure] * seconds;
  values[kAreaMeasure] += mm2;
}

struct Expression::Parser {
  explicit Parser(const std::string& text) : values(measures().size(), 1) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      parser.DefineVar(measures()[i].name, &values[i]);
    }
    units();
    parser.SetExpr(text);
  }

  void units() {
    // As they are without us, and the digits of mm2.
    parser.DefineOprtChars(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-*^/?<>=#!$%&|~'_{}0123456789");
    parser.DefinePostfixOprt("um2", scaled<-6>);
    parser.DefinePostfixOprt("mm2", scaled<0>);
    parser.DefinePostfixOprt("cm2", scaled<2>);
    parser.DefinePostfixOprt("pJ", scaled<-12>);
    parser.DefinePostfixOprt("nJ", scaled<-9>);
    parser.DefinePostfixOprt("uJ", scaled<-6>);
    parser.DefinePostfixOprt("mJ", scaled<-3>);
    parser.DefinePostfixOprt("J", scaled<0>);
    parser.DefinePostfixOprt("ns", scaled<-9>);
    parser.DefinePostfixOprt("us", scaled<-6>);
    parser.DefinePostfixOprt("ms", scaled<-3>);
    parser.DefinePostfixOprt("s", scaled<0>);
    parser.DefinePostfixOprt("mW", scaled<-3>);
    parser.DefinePostfixOprt("W", scaled<0>);
    parser.DefinePostfixOprt("B", scaled<0>);
    parser.DefinePostfixOprt("kB", scaled<3>);
    parser.DefinePostfixOprt("MB", scaled<6>);
    parser.DefinePostfixOprt("GB", scaled<9>);
    parser.DefinePostfixOprt("KiB", scaled<1, 1024>);
    parser.DefinePostfixOprt("MiB", scaled<2, 1024>);
    parser.DefinePostfixOprt("GiB", scaled<3, 1024>);
  }

  std::vector<double> values;
  mu::Parser parser;
};

Expression::Expression(const std::string& text) {
  const std::string why = problem(text);
  if (!why.empty()) throw InputError(fmt::format("'{}': {}", text, why));
  parser_ = std::make_unique<Parser>(text);
}
Expression::~Expression() = default;
Expression::Expression(Expression&& other) noexcept = default;
Expression& Expression::operator=(Expression&& other) noexcept = default;

double Expression::of(const std::vector<double>& values) const {
  std::copy(values.begin(), values.end(), parser_->values.begin());
  return parser_->parser.Eval();
}

bool Expression::names(const std::string& text, const std::string& measure) {
  return Parser(text).parser.GetUsedVar().count(measure) > 0;
}

std::string Expression::problem(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') continue;
    const bool compares =
        i > 0 && std::string_view("<>=!").find(text[i - 1]) != std::string_view::npos;
    const bool doubled = i + 1 < text.size() && text[i + 1] == '=';
    if (!compares && !doubled) return "it assigns instead of comparing: write == or <=";
  }
  try {
    Parser parser(text);
    int results = 0;
    parser.parser.Eval(results);
    return results == 1 ? "" : "it has several values";
  } catch (const mu::Parser::exception_type& error) {
    std::vector<std::string> names;
    for (const Measure& known : measures()) names.emplace_back(known.name);
    const std::string token = error.GetToken();
    std::string message = error.GetMsg();
    return token.empty() ? message : message + ' ' + suggest(token, names);
  }
}

}  // namespace lacuna
