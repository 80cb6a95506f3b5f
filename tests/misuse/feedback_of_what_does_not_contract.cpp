// expect: error_feedback: needs a compressor that contracts (what random_k and quantized leave out may grow); they are unbiased, use them alone
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const compressor::random_k compressor;
#else
    const compressor::error_feedback<compressor::random_k> compressor;
#endif
    compressor::validate(compressor);
}
