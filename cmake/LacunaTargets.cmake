# SPDX-License-Identifier: Apache-2.0
# One static library per folder. A folder's sources are globbed, so that adding a file is adding a
# file; CONFIGURE_DEPENDS makes the build notice.

add_library(lacuna_flags INTERFACE)
target_compile_options(lacuna_flags INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wsign-conversion>
  # Results must not depend on whether a compiler fuses multiply and add.
  $<BUILD_INTERFACE:-ffp-contract=off>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 reports std::string's own inlined copies (PR 105329, PR 105651).
  target_compile_options(lacuna_flags INTERFACE $<BUILD_INTERFACE:-Wno-restrict>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 13 reports fmt 9's own buffers where it inlines the formatting of a double, GCC 12 the
  # library's where they come from a precompiled header.
  target_compile_options(lacuna_flags INTERFACE
    $<BUILD_INTERFACE:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
endif()
if(LACUNA_WERROR)
  target_compile_options(lacuna_flags INTERFACE $<BUILD_INTERFACE:-Werror>)
endif()
if(LACUNA_SANITIZE)
  target_compile_options(lacuna_flags INTERFACE
    $<BUILD_INTERFACE:-fsanitize=address,undefined;-fno-sanitize-recover=all;-fno-omit-frame-pointer>)
  target_link_options(lacuna_flags INTERFACE $<BUILD_INTERFACE:-fsanitize=address,undefined>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code hides initialisations from GCC: it reports std::regex's own (PR 105562).
    target_compile_options(lacuna_flags INTERFACE $<BUILD_INTERFACE:-Wno-maybe-uninitialized>)
  endif()
endif()
if(LACUNA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "LACUNA_FUZZ needs clang: set CMAKE_CXX_COMPILER=clang++ (scripts/fuzz does)")
  endif()
  # vptr needs the type information of libraries that have none of ours.
  set(lacuna_fuzz_flags -fsanitize=address,undefined -fno-sanitize=vptr)
  target_compile_options(lacuna_flags INTERFACE
    $<BUILD_INTERFACE:${lacuna_fuzz_flags};-fsanitize=fuzzer-no-link;-fno-sanitize-recover=all;-fno-omit-frame-pointer;-gline-tables-only>)
  target_link_options(lacuna_flags INTERFACE $<BUILD_INTERFACE:${lacuna_fuzz_flags}>)
endif()

# lacuna_precompile(TARGET FIRST HEADER): the target FIRST precompiles HEADER, every other one shares
# it. Two thirds of the time of a typical file went into parsing the same thirty headers.
function(lacuna_precompile target first header)
  if(NOT LACUNA_PCH)
    return()
  endif()
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # for ccache
  if(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/${header}")
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# lacuna_compile_quickly(LEVEL): less optimisation (-O1, -O0) for the targets of a folder whose own time
# no run notices (it parses, prints or checks): that of the templates of CLI11, nlohmann and Catch2 is a
# third of their build and more.
macro(lacuna_compile_quickly level)
  string(REGEX REPLACE "-O[23]" "${level}" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
endmacro()

# lacuna_folder(NAME [SOURCES <glob>...] [LINK <target>...])
# The library lacuna_<NAME> of the current folder; headers are included from the repository's root.
function(lacuna_folder name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES "*.cpp")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${arg_SOURCES})
  if(NOT sources)
    return()
  endif()
  add_library(lacuna_${name} STATIC ${sources})
  add_library(lacuna::${name} ALIAS lacuna_${name})
  set_target_properties(lacuna_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(lacuna_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/lacuna>)
  target_link_libraries(lacuna_${name} PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:lacuna_flags>)
  target_compile_features(lacuna_${name} PUBLIC cxx_std_20)
  lacuna_precompile(lacuna_${name} lacuna_base base/precompiled.hpp)
  set_property(GLOBAL APPEND PROPERTY LACUNA_LIBRARIES lacuna_${name})
endfunction()
