// SPDX-License-Identifier: BSL-1.0
// A penalty of your own is two functions of one weight: its value, and prox(v, step) = argmin value(z) + (z - v)^2 / (2 step).
// This one says "no weight below 0", which makes least squares nonnegative least squares.
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

struct nonnegative {
    constexpr auto value(auto) const { return 0.0; }
    constexpr auto prox(auto w, auto) const { return w < 0 ? decltype(w){0} : w; }
};

int main() {
    // how much of each of three substances is in a mixture? the third one is not, but noise may say "-0.05 of it"
    constexpr std::size_t rows = 60, substances = 3;
    const core::random noise{.seed = 3};
    std::vector<double> spectra, mixture;
    for (std::size_t i = 0; i < rows; ++i) {
        const auto line = [&](double place) { return std::exp(-50 * std::pow(double(i) / rows - place, 2)); };
        spectra.insert(spectra.end(), {line(0.3), line(0.6), line(0.5)});
        mixture.push_back(2 * line(0.3) + 0.5 * line(0.6) + 0.1 * noise.normal(i));
    }
    const data::arrays measured(spectra, rows, substances, mixture);

    const data::preparation as_given{.intercept = data::intercept::none, .columns = data::columns::as_given};
    const estimator least_squares{.model = model::linear{}, .prepare = as_given};
    const estimator nonnegative_least_squares{
        .model = model::linear{}, .penalty = nonnegative{}, .solver = solver::admm{}, .prepare = as_given};
    const auto free = least_squares.fit(measured);
    const auto fit = nonnegative_least_squares.fit(measured);
    std::printf("least squares  %8.4f %8.4f %8.4f\n", free.weights[0], free.weights[1], free.weights[2]);
    std::printf("nonnegative    %8.4f %8.4f %8.4f   (%s)\n", fit.weights[0], fit.weights[1], fit.weights[2],
                fit.message.c_str());

    const bool allowed = fit.weights[0] >= 0 && fit.weights[1] >= 0 && fit.weights[2] == 0;
    return allowed && free.weights[2] < 0 && fit.status == core::status::converged ? 0 : 1;
}
