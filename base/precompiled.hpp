// SPDX-License-Identifier: Apache-2.0
// The headers that most files include, parsed once for the whole build (cmake/LacunaTargets.cmake,
// LACUNA_PCH). Files still include what they use: without this one everything compiles the same.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
