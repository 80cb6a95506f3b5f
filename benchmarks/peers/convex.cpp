// SPDX-License-Identifier: BSL-1.0
// What convex.py runs for gamut: reads a problem that it wrote, fits it some times, and prints processor seconds, iterations and the gap.
//   convex FOLDER linear|logistic L1 L2 TOLERANCE REPEATS
// FOLDER: shape.txt "rows columns entries" (entries 0: dense), x.f64 or offsets.i64 indices.i32 values.f64, y.f64
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

namespace {

template <class Vector> void read(const std::string& file, Vector& to, std::size_t count) {
    to.resize(count);
    std::ifstream in(file, std::ios::binary);
    in.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(count * sizeof(to[0])));
    if (!in) throw std::runtime_error(file + " is too short");
}

template <class Model, class Matrix, class Penalty>
void fit(const data::dataset<Matrix>& rows, const Penalty& penalty, double tolerance, int repeats) {
    for (int r = 0; r < repeats; ++r) {
        const std::clock_t begin = std::clock();
        const solver::problem<Model, data::dataset<Matrix>, Penalty, backend::host<>, communicator::single<>> problem(
            Model{}, rows, penalty, backend::host<>{}, communicator::single<>{}, false);
        const auto found = solver::coordinate{.stop = {.tolerance = tolerance}}.minimize(problem);
        const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        std::printf("%.6f %zu %.3e %zu %.17g\n", seconds, found.iterations, found.history.back().residual,
                    problem.nonzeros(found.weights), found.objective);
        if (std::getenv("GAMUT_SHOW"))
            for (const auto& now : found.history)
                std::fprintf(stderr, "  %zu %.12g %.3e %zu %.4f s\n", now.iteration, now.objective, now.residual,
                             now.nonzeros, now.seconds);
    }
}

template <class Matrix> void fit(data::arrays<Matrix> source, char** options) {
    data::request wanted{.classification = std::string(options[0]) == "logistic"};
    wanted.blocks = solver::coordinate{}.blocks;
    const auto rows = source.load(communicator::single<>{}, wanted);
    const penalty::elastic_net penalty{std::atof(options[1]), std::atof(options[2])};
    const double tolerance = std::atof(options[3]);
    const int repeats = std::atoi(options[4]);
    if (wanted.classification)
        fit<model::logistic>(rows, penalty, tolerance, repeats);
    else
        fit<model::linear>(rows, penalty, tolerance, repeats);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const std::string folder = std::string(argv[1]) + "/";
    std::size_t n = 0, p = 0, entries = 0;
    std::ifstream(folder + "shape.txt") >> n >> p >> entries;
    std::vector<double> y;
    read(folder + "y.f64", y, n);
    if (entries == 0) {
        backend::dense_matrix<double> x(n, p);
        read(folder + "x.f64", x.values, n * p);
        fit(data::arrays(std::move(x), y), argv + 2);
    } else {
        backend::sparse_matrix<double> x;
        x.rows = n, x.columns = p;
        read(folder + "offsets.i64", x.offsets, n + 1);
        read(folder + "indices.i32", x.indices, entries);
        read(folder + "values.f64", x.values, entries);
        fit(data::arrays(std::move(x), y), argv + 2);
    }
}
