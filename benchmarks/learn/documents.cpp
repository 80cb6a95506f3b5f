// SPDX-License-Identifier: BSL-1.0
#include <gamut/estimator.hpp>
#include <gamut/learn/supervised_topics.hpp>
#include <gamut/learn/topics.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/penalty/l2.hpp>

#include "gamut_learner.hpp"

namespace {

using namespace peer;

/// Rows of T.bin, as counts.
data::arrays<backend::sparse_matrix<double>> test_documents(const arguments& given) {
    const std::size_t rows = given.number("--test_rows", "0"), columns = given.number("--columns", "0");
    const std::string folder = given.text("--arrays", ".");
    backend::sparse_matrix<double> x;
    x.columns = columns;
    {
        const mapped<double> from(folder + "/T.bin", rows * columns);
        for (const double* at = from.begin(); x.rows < rows; ++x.rows) {
            for (std::size_t j = 0; j < columns; ++j, ++at)
                if (*at != 0) {
                    x.indices.push_back(static_cast<std::int32_t>(j));
                    x.values.push_back(*at);
                }
            x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        }
    }
    std::vector<double> y;
    read<double>(folder + "/Ty.bin", rows, y);
    return data::arrays(std::move(x), y);
}

learn::topics<> topics_of(const arguments& given) {
    learn::topics<> learner{.count = given.number("--count", "100"),
                            .alpha = given.real("--alpha", "0.1"),
                            .beta = given.real("--beta", "0.01"),
                            .samples = given.number("--samples", "10"),
                            .nodes = given.number("--nodes", "8"),
                            .threads = threads(given)};
    if (given.text("--sampling", "gibbs") == "metropolis") learner.sampling = learn::sampling::metropolis;
    learner.anneal = given.number("--anneal", "50");
    learner.stop.iterations = given.number("--sweeps", "200");
    return learner;
}

/// Topics without labels, then a linear support vector machine on the documents' shares of topics: errors on the test, and seconds.
std::string two_steps(const arguments& given, const data::arrays<backend::sparse_matrix<double>>& train,
                      const data::arrays<backend::sparse_matrix<double>>& test, std::uint64_t seed) {
    double errors = 0;
    const double seconds = benchmark::seconds([&] {
        learn::topics<> first{.count = given.number("--count", "20"), .seed = seed, .threads = threads(given)};
        first.stop.iterations = given.number("--sweeps", "200");
        const auto found = first.fit(train);
        const auto shares = [&](const auto& source) {
            const auto z = found.transform(source);
            return data::arrays(z.values, z.rows(), z.width, source.load(communicator::single<>{}).y);
        };
        const estimator machine{.model = model::hinge{}, .penalty = penalty::l2{1e-3}, .backend = host(given)};
        errors = 1 - machine.fit(shares(train)).score(shares(test)).accuracy;
    });
    return core::text(", \"two_steps_error\": ", errors, ", \"two_steps_seconds\": ", seconds);
}

}  // namespace

bool peer::fit_documents(const arguments& given, double memory_before) {
    const std::string name = given.text("--learner", "");
    if (name == "topics") {
        const auto learner = topics_of(given);
        const auto source = sparse(given);
        auto fewer = learner;
        fewer.count = given.number("--fewer", "0");
        serve(memory_before, learner, source, [&](const auto& fit, std::string& more) {
            more += core::text(", \"sweep_seconds\": ", fit.seconds);
            if (fewer.count > 0) {
                more += core::text(", \"fewer_sweep_seconds\": ", fewer.fit(source).seconds);
                ++fewer.seed;
            }
            return std::vector<double>{fit.objective};
        });
        return true;
    }
    if (name == "supervised_topics") {
        learn::supervised_topics<> learner{.count = given.number("--count", "20"), .threads = threads(given)};
        learner.stop.iterations = given.number("--sweeps", "200");
        const auto train = sparse(given), test = test_documents(given);
        std::uint64_t seed = 0;
        serve(memory_before, learner, train, [&](const auto& fit, std::string& more) {
            const auto found = fit.predict(test);
            std::vector<double> classes;
            for (std::size_t i = 0; i < found.rows(); ++i) classes.push_back(std::stod(found.class_name(i)));
            more += two_steps(given, train, test, seed++);
            return classes;
        });
        return true;
    }
    return false;
}
