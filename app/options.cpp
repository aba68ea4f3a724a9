// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <CLI/CLI.hpp>

namespace lacuna {

Option Option::required() const {
  return Option(option_->required());
}
Option Option::needs(Option other) const {
  return Option(option_->needs(other.option_));
}
Option Option::excludes(Option other) const {
  return Option(option_->excludes(other.option_));
}
std::size_t Option::count() const {
  return option_->count();
}
Option Option::group(const std::string& heading) const {
  return Option(option_->group(heading));
}
Option Option::one_at_a_time() const {
  return Option(option_->allow_extra_args(false));
}
Option Option::separated_by(char separator) const {
  return Option(option_->delimiter(separator));
}
Option Option::between(std::uint64_t least, std::uint64_t most) const {
  return Option(option_->check(CLI::Range(least, most)));
}
Option Option::between(double least, double most) const {
  return Option(option_->check(CLI::Range(least, most)));
}
Option Option::positive() const {
  return Option(option_->check(CLI::PositiveNumber));
}
Option Option::not_empty() const {
  return Option(option_->check([](const std::string& text) {
    return text.empty() ? std::string("is empty, expected a name") : std::string();
  }));
}

Option Options::add_option(const std::string& name, std::string& target, const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_option(const std::string& name, std::vector<std::string>& target,
                           const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_option(const std::string& name, std::vector<double>& target,
                           const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_option(const std::string& name, std::uint32_t& target,
                           const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_option(const std::string& name, std::uint64_t& target,
                           const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_option(const std::string& name, double& target, const std::string& help) {
  return Option(app_->add_option(name, target, help));
}
Option Options::add_flag(const std::string& name, bool& target, const std::string& help) {
  return Option(app_->add_flag(name, target, help));
}
Option Options::get_option(const std::string& name) const {
  return Option(app_->get_option(name));
}
std::size_t Options::count(const std::string& name) const {
  return app_->count(name);
}

}  // namespace lacuna
