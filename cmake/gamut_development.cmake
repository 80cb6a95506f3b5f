# SPDX-License-Identifier: BSL-1.0
# How gamut's own tests, examples and benchmarks are compiled and run. Nothing here reaches a user of the library.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
endif()
# A precompiled header needs the two kinds of sloppiness. It knows its headers by their bytes (#pragma once), so it must not be
# found by what the preprocessor leaves of them: that is the same after a change of a comment. Depend mode compares the bytes;
# what was stored without it is left in another name space.
set(gamut_ccache_settings "CCACHE_SLOPPINESS=pch_defines,time_macros" "CCACHE_DEPEND=1" "CCACHE_NAMESPACE=gamut-depend")
if(NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED ENV{CMAKE_CXX_COMPILER_LAUNCHER})
    find_program(GAMUT_CCACHE ccache)
    mark_as_advanced(GAMUT_CCACHE)
    if(GAMUT_CCACHE)
        set(CMAKE_CXX_COMPILER_LAUNCHER "/usr/bin/env;${gamut_ccache_settings};${GAMUT_CCACHE}")
    endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(gamut_development INTERFACE)
target_compile_options(gamut_development INTERFACE -Wall -Wextra -Wpedantic)
if(GAMUT_SANITIZE STREQUAL "address")
    # Left out: checks that AddressSanitizer makes as well (null, object-size), that the processor makes (alignment: a vector
    # that is not aligned is a fault), or that concern virtual functions. They would double the time to compile.
    set(gamut_sanitizer_flags -fsanitize=address,undefined -fno-sanitize=null,object-size,alignment,vptr
        -fno-omit-frame-pointer -g1)
elseif(GAMUT_SANITIZE STREQUAL "thread")
    set(gamut_sanitizer_flags -fsanitize=thread -fno-omit-frame-pointer -g1)
elseif(GAMUT_SANITIZE)
    message(FATAL_ERROR "GAMUT_SANITIZE is ${GAMUT_SANITIZE} (there are: address, thread)")
endif()
target_compile_options(gamut_development INTERFACE ${gamut_sanitizer_flags})
target_link_options(gamut_development INTERFACE ${gamut_sanitizer_flags})

# The environment of everything that is run: many ranks on few cores, as root or not, each with one thread for its BLAS.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/temporary")
set(gamut_environment
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
    OMPI_MCA_orte_tmpdir_base=/tmp
    OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
    "TMPDIR=${PROJECT_BINARY_DIR}/temporary"
    ${gamut_ccache_settings})
set(gamut_suppressions "${PROJECT_SOURCE_DIR}/tests/sanitize")
if(GAMUT_SANITIZE STREQUAL "address")
    list(APPEND gamut_environment
        "LSAN_OPTIONS=suppressions=${gamut_suppressions}/leaks.txt:print_suppressions=0"
        "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:suppressions=${gamut_suppressions}/undefined.txt")
elseif(GAMUT_SANITIZE STREQUAL "thread")
    list(APPEND gamut_environment
        "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1")
endif()

# gamut_add_run(NAME LABELS COMMAND [RANKS n] [TIMEOUT s]): a ctest test, on n MPI ranks if RANKS is given.
# Its working directory is the top of the source tree, so examples/data/iris.csv is a path that works.
function(gamut_add_run name)
    cmake_parse_arguments(PARSE_ARGV 1 run "" "RANKS;TIMEOUT" "LABELS;COMMAND;ENVIRONMENT")
    if(NOT run_TIMEOUT)
        set(run_TIMEOUT 600)
        if(GAMUT_SANITIZE)
            set(run_TIMEOUT 1200)
        endif()
    endif()
    set(environment ${gamut_environment} ${run_ENVIRONMENT})
    if(GAMUT_SANITIZE STREQUAL "address")
        set(address_options "detect_leaks=1:detect_stack_use_after_return=1")
        if(run_RANKS OR "mpi" IN_LIST run_LABELS)
            if("bits" IN_LIST run_LABELS)  # many fits, that leak nowhere else
                set(address_options "detect_leaks=0:detect_stack_use_after_return=1")
            else()  # what leaks.txt names is compiled without frame pointers: to find it takes a hundred times as long
                string(APPEND address_options ":fast_unwind_on_malloc=0")
            endif()
        endif()
        list(APPEND environment "ASAN_OPTIONS=${address_options}")
    endif()
    if(run_RANKS)
        set(limit 120)
        if(GAMUT_SANITIZE)
            set(limit 900)
        endif()
        set(run_COMMAND timeout -k 5 ${limit} ${MPIEXEC_EXECUTABLE} -n ${run_RANKS} ${run_COMMAND})
        list(APPEND environment OMP_NUM_THREADS=1)
        list(APPEND run_LABELS mpi)
    endif()
    add_test(NAME ${name} COMMAND ${run_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES
        LABELS "${run_LABELS}" ENVIRONMENT "${environment}" TIMEOUT ${run_TIMEOUT} SKIP_RETURN_CODE 77)
    if(run_RANKS AND run_RANKS GREATER 1)
        set_tests_properties(${name} PROPERTIES PROCESSORS 2)
    endif()
endfunction()
