// expect: sgd: a biased compressor (top_k, sign, low_rank) loses what it does not send; wrap it: compressor::error_feedback{...}
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/solver/sgd.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{
        .rate = .1, .blocks = 8, .compressor = compressor::error_feedback{compressor::top_k{.share = .01}}};
#else
    const solver::sgd solver{.rate = .1, .blocks = 8, .compressor = compressor::top_k{.share = .01}};
#endif
    const estimator e{.model = model::logistic{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
