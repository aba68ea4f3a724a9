// SPDX-License-Identifier: Apache-2.0
// The small languages of the command line.
#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/encoding.hpp"
#include "sparse_formats/pattern.hpp"
#include "tests/fuzz/target.hpp"
#include "workloads/matrix_source.hpp"

using namespace lacuna;

FUZZ_TARGET(pattern) {
  const Pattern pattern = parse_pattern(bytes);
  if (parse_pattern(pattern.text()).text() != pattern.text()) {
    throw ModelError("the text of a pattern is another pattern's");
  }
}

FUZZ_TARGET(pattern_family) {
  (void)parse_pattern_family(bytes);
}

FUZZ_TARGET(quantity) {
  const Hertz clock(1e9);
  (void)parse_bytes(bytes);
  (void)parse_hertz(bytes);
  (void)parse_bytes_per_cycle(bytes, clock);
  (void)parse_picojoules_per_bit(bytes);
  (void)parse_cycles(bytes, clock);
  (void)parse_integer(bytes);
  (void)parse_number(bytes);
}

FUZZ_TARGET(encoding) {
  const EncodingStack stack = parse_encoding(bytes);
  if (parse_encoding(stack.text()).text() != stack.text()) {
    throw ModelError("the text of an encoding is another encoding's");
  }
}

FUZZ_TARGET(generator) {
  // A generator may be asked for gigabytes; numbers of two digits, without exponent, keep it small.
  std::size_t run = 0;
  for (const char c : bytes) {
    const bool exponent = (c == 'e' || c == 'E') && run > 0;
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run > 2 || exponent || c == '\0') return;
  }
  if (is_generated(bytes)) make_matrix(bytes).validate();
}
