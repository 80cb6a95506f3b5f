// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/metric.hpp>
#include <gamut/learn/nearest.hpp>
#include <gamut/learn/random_forest.hpp>

#include "gamut_learner.hpp"

namespace {

using namespace peer;

/// The class of each row of the test, as a number; how long they took goes to `more`.
template <class Fit, class Source>
std::vector<double> classes_of(const Fit& fit, const Source& test, std::string& more) {
    decltype(fit.predict(test)) found;
    const double processor = processor_seconds();
    const double seconds = benchmark::seconds([&] { found = fit.predict(test); });
    more += core::text(", \"predict_seconds\": ", seconds,
                       ", \"predict_processor_seconds\": ", processor_seconds() - processor);
    std::vector<double> classes;
    if constexpr (requires { found.class_name(0); })
        for (std::size_t i = 0; i < found.rows(); ++i) classes.push_back(std::stod(found.class_name(i)));
    else
        for (const double value : found.values)
            classes.push_back(std::stod(fit.classes[static_cast<std::size_t>(value)]));
    return classes;
}

}  // namespace

bool peer::fit_labelled(const arguments& given, double memory_before) {
    const std::string name = given.text("--learner", "");
    const auto train = [&] { return dense(given, "X.bin", given.number("--rows", "0"), "y.bin"); };
    const auto test = [&] { return dense(given, "T.bin", given.number("--test_rows", "0"), "Ty.bin"); };
    if (name == "metric") {
        const learn::metric<> learner{
            .rank = given.number("--rank", "0"), .pairs = given.number("--pairs", "2"), .threads = threads(given)};
        serve(memory_before, learner, train(), [](const auto& fit, std::string&) { return fit.map; });
        return true;
    }
    if (name == "random_forest") {
        const learn::random_forest<> learner{.trees = given.number("--trees", "100"), .threads = threads(given)};
        serve(memory_before, learner, train(),
              [t = test()](const auto& fit, std::string& more) { return classes_of(fit, t, more); });
        return true;
    }
    if (name == "nearest") {
        const learn::nearest<> learner{.neighbours = given.number("--neighbours", "5"),
                                       .target = learn::target::classes,
                                       .threads = threads(given)};
        serve(memory_before, learner, train(),
              [t = test()](const auto& fit, std::string& more) { return classes_of(fit, t, more); });
        return true;
    }
    return false;
}
