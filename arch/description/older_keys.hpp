// SPDX-License-Identifier: Apache-2.0
// Keys of machine files before every machine was described part by part. Files and settings that
// change a described machine by them still do; where one key became several parts it is refused
// with what to write.
#pragma once

#include "base/config.hpp"

namespace lacuna::description {

/// Puts the values of older keys where they belong now. Throws InputError at a key that has no
/// single place any more, or when the machine is not described part by part.
void translate_older_keys(ConfigTree& machine);

}  // namespace lacuna::description
