# SPDX-License-Identifier: Apache-2.0
# Is every source formatted? Skipped where clang-format 14 or the checkout's history is missing.
get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
if(NOT EXISTS "${root}/.git")
  message("LACUNA_SKIPPED: not a checkout, so nothing tells which files are ours")
  return()
endif()
execute_process(COMMAND "${root}/scripts/format" --check WORKING_DIRECTORY "${root}"
                RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(text MATCHES "needs clang-format 14")
  message("LACUNA_SKIPPED: clang-format 14 is not installed")
elseif(NOT code EQUAL 0)
  message(FATAL_ERROR "scripts/format would change some files:\n${text}")
endif()
