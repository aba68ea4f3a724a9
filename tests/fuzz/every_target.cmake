# SPDX-License-Identifier: Apache-2.0
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE names OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" names "${names}")
foreach(name IN LISTS names)
  file(GLOB files "${CORPUS}/${name}/*")
  if(NOT files)
    message(SEND_ERROR "tests/fuzz/corpus/${name} is empty or missing")
  endif()
endforeach()
