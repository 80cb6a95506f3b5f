# SPDX-License-Identifier: BSL-1.0
# gamut_test_uses_fits(TARGET): links the fits of fit.hpp, which are compiled once for all tests, and shares their
# precompiled header, that of the whole library.
include_guard(GLOBAL)

file(GLOB compiled_fits CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/compiled/*.cpp")
add_library(gamut_test_fits OBJECT EXCLUDE_FROM_ALL ${compiled_fits})
target_link_libraries(gamut_test_fits PUBLIC gamut::gamut gamut_development Boost::unit_test_framework)
target_compile_definitions(gamut_test_fits PUBLIC BOOST_TEST_DYN_LINK)
target_precompile_headers(gamut_test_fits PRIVATE "${CMAKE_CURRENT_LIST_DIR}/precompiled.hpp")

function(gamut_test_uses_fits target)
    target_link_libraries(${target} PRIVATE gamut_test_fits)
    set_target_properties(${target} PROPERTIES PRECOMPILE_HEADERS_REUSE_FROM gamut_test_fits)
endfunction()
