// SPDX-License-Identifier: Apache-2.0
// The options of a command, a narrow door to CLI11: a file that includes all of CLI11 compiles for
// ten seconds, so only options.cpp and main.cpp do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lacuna {

/// One option of a command; what its functions return is the same option.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option required() const;
  /// Given without the other one, it is refused.
  Option needs(Option other) const;
  Option excludes(Option other) const;
  /// How often it was given.
  [[nodiscard]] std::size_t count() const;
  /// The heading in --help.
  Option group(const std::string& heading) const;
  /// A list takes one value each time the option is given, not all that follow.
  Option one_at_a_time() const;
  Option separated_by(char separator) const;
  Option between(std::uint64_t least, std::uint64_t most) const;
  Option between(double least, double most) const;
  Option positive() const;
  Option not_empty() const;

 private:
  CLI::Option* option_;
};

class Options {
 public:
  explicit Options(CLI::App& app) : app_(&app) {}
  Option add_option(const std::string& name, std::string& target, const std::string& help);
  Option add_option(const std::string& name, std::vector<std::string>& target,
                    const std::string& help);
  Option add_option(const std::string& name, std::vector<double>& target, const std::string& help);
  Option add_option(const std::string& name, std::uint32_t& target, const std::string& help);
  Option add_option(const std::string& name, std::uint64_t& target, const std::string& help);
  Option add_option(const std::string& name, double& target, const std::string& help);
  Option add_flag(const std::string& name, bool& target, const std::string& help);
  [[nodiscard]] Option get_option(const std::string& name) const;
  /// How often an option was given.
  [[nodiscard]] std::size_t count(const std::string& name) const;

 private:
  CLI::App* app_;
};

}  // namespace lacuna
