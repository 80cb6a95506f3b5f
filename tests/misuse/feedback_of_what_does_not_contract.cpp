// expect: error_feedback: needs a compressor that contracts, or an unbiased one with a variance(n) by which to shorten its numbers (what others leave out, error_feedback itself among them, may grow for ever)
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const compressor::error_feedback<compressor::random_k> compressor;
#else
    const compressor::error_feedback<compressor::error_feedback<compressor::random_k>> compressor;
#endif
    compressor::validate(compressor);
}
