// expect: compressed_mean: a biased compressor (top_k, sign, low_rank) loses what it does not send; wrap it: compressor::error_feedback{...}
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    std::vector<float> gradient(100), mean(100);
#ifdef GAMUT_MISUSE_FIXED
    const compressor::error_feedback<compressor::top_k> compressor;
#else
    const compressor::top_k compressor;
#endif
    exchange::mean_memory<std::remove_const_t<decltype(compressor)>, float> memory;
    exchange::compressed_mean<float>(communicator::single<>{}, compressor, 0, 1, gradient, memory, mean);
    return mean[0] == 0;
}
