// SPDX-License-Identifier: Apache-2.0
#include "base/message_text.hpp"

namespace lacuna {

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out(text.substr(0, kMost));
  if (text.size() > kMost) {
    // Never a part of a UTF-8 character.
    while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xC0U) == 0x80U) {
      out.pop_back();
    }
    out += "...";
  }
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

}  // namespace lacuna
