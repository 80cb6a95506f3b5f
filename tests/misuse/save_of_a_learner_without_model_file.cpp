// expect: save: include <gamut/learn/model_file.hpp> for what learners fitted as files
// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/csv.hpp>
#include <gamut/learn/k_means.hpp>
#ifdef GAMUT_MISUSE_FIXED
#    include <gamut/learn/model_file.hpp>
#endif

using namespace gamut;

int main() { save(learn::k_means<>{.clusters = 2}.fit(data::csv<>{"file.csv"}), "groups.json"); }
