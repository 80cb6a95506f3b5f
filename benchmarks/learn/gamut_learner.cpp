// SPDX-License-Identifier: BSL-1.0
// gamut's side of the comparison of learners: fits arrays that benchmarks/learn.py wrote, once for every line `fit FILE` on stdin, writes
// what was found there as raw doubles, and says how long it took. Raw little-endian numbers in the folder that --arrays names: X.bin (row
// by row) and y.bin, T.bin and Ty.bin for rows to be answered; with --entries compressed rows.
//     gamut_learner --learner NAME --arrays FOLDER --rows N --columns P [--test_rows 0] [--entries 0] [--threads 1] OPTIONS
//        k_means                    --clusters K [--tolerance 0]
//        factorisation              --rank K --lambda L --sweeps S [--alpha A of choices]
//        nonnegative_factorisation  --rank K [--tolerance 1e-5]
//        sparse_coding              --atoms K --lambda L [--tolerance 1e-5]
//        principal_components       --components K
//        metric                     [--rank 0] [--pairs 2]
//        random_forest              [--trees 100]
//        nearest                    [--neighbours 5]
//        topics                     [--count 100] [--sweeps 200] [--sampling gibbs] [--fewer 0: another count, timed, too] [--nodes 8]
//        supervised_topics          [--count 20] [--sweeps 200]      beside topics and a support vector machine
#include <exception>

#include "gamut_learner.hpp"

int main(int argc, char** argv) try {
    const peer::arguments given{argc, argv};
    const double before = peer::memory("VmRSS:");
    if (peer::fit_unlabelled(given, before) || peer::fit_labelled(given, before) || peer::fit_documents(given, before))
        return 0;
    std::fprintf(stderr, "gamut_learner: --learner %s: there is no such learner here\n",
                 given.text("--learner", "").c_str());
    return 2;
} catch (const std::exception& error) {
    std::fprintf(stderr, "gamut_learner: %s\n", error.what());
    return 1;
}
