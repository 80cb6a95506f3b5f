// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/program_run.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/gathered_rows.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/data/total_weight.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/concept.hpp>

namespace gamut {

/// A fitted network: its parameters, how they were found, and what is needed to predict. Column j of new data is standardised as the
/// training data were; means over rows (batch_norm) are those of the training rows.
template <class Model, class T, class C> struct fitted_network {
    static_assert(communicator::Communicator<C>,
                  "fitted_network: needs a communicator; see gamut/communicator/concept.hpp");

    Model model{};
    std::vector<autodiff::block_shape> blocks{};
    std::vector<double> weights{};     ///< all blocks, one after another, each row-major
    std::vector<double> statistics{};  ///< means over rows that the network takes, in the order of its layers
    std::size_t outputs = 1;
    core::names features{};
    std::vector<std::string> classes{};
    std::string label{};
    data::standardization scaling{};  ///< of the columns; empty: as they are

    core::status status = core::status::converged;
    std::string message{};
    double objective = std::numeric_limits<double>::quiet_NaN();  ///< loss + penalty, without dropout
    std::vector<core::record> history{};
    std::size_t iterations = 0, passes = 0;
    double seconds = 0;

    C communicator{};

    /// Predictions for this rank's rows of a source; labels are not needed. Collective.
    template <data::DataSource S> gamut::predictions predict(const S& source) const {
        return predict_rows(source.load(communicator, request(false)));
    }

    /// The quality of the predictions on a source with labels. Collective: the same on all ranks.
    template <data::DataSource S> gamut::score score(const S& source) const { return score_rows(load(source)); }

    /// This rank's rows of a source with labels, as score_rows takes them. Collective.
    template <data::DataSource S> auto load(const S& source) const { return source.load(communicator, request(true)); }

    /// Takes all blocks' parameters, one after another, as a record shows them.
    void set_weights(std::vector<double> of_solver) { weights = std::move(of_solver); }

    /// The same for rows that are loaded already, by all ranks together. Means over rows that the network takes must be known.
    template <class Matrix> gamut::score score_rows(const data::dataset<Matrix>& rows) const {
        using U = typename Matrix::value_type;
        const double total = data::total_weight(communicator, rows);
        // loss, right answers, squares of residuals, y and its square: a partial for each shard
        constexpr std::size_t kinds = 5;
        std::vector<double> partials, sums(kinds);
        std::size_t count = 0;
        std::exception_ptr failure;
        try {
            evaluator<Matrix, decltype(model.loss_program(0))> loss(*this, rows, model.loss_program(features.size()));
            if (loss.run.statistics_size() != statistics.size())
                throw core::option_error(
                    "network: its means over rows are not known yet (batch_norm's are those of the "
                    "training rows, when a fit has ended) use layer_norm where it is scored before");
            const gamut::predictions guess = predict_rows_here(rows);
            const auto mine = rows.partition.shards_of(static_cast<std::size_t>(communicator.rank()),
                                                       static_cast<std::size_t>(communicator.size()));
            count = mine.size();
            partials.resize(count * kinds);
            for (std::size_t s = mine.begin; s < mine.end; ++s) {
                double* const sum = partials.data() + (s - mine.begin) * kinds;
                const auto local = rows.partition.shard_rows(s);
                loss.each(local.begin - rows.first_row, local.end - rows.first_row, static_cast<U>(1 / total),
                          [&](std::size_t, const auto&, double part) { sum[0] += part; });
                for (std::size_t i = local.begin - rows.first_row; i < local.end - rows.first_row; ++i) {
                    const double weight = static_cast<double>(rows.weight(i)), y = static_cast<double>(rows.y[i]);
                    if (!classes.empty()) {
                        sum[1] += static_cast<double>(guess.class_index(i)) == y ? weight : 0;
                    } else {
                        const double residual = y - guess.value(i);
                        sum[2] += weight * residual * residual;
                        sum[3] += weight * y;
                        sum[4] += weight * y * y;
                    }
                }
            }
        } catch (...) {
            failure = std::current_exception();
        }
        gamut::communicator::sum(communicator, partials, count, sums, failure);
        gamut::score result;
        result.rows = rows.rows();
        result.loss = sums[0];
        if (!classes.empty())
            result.accuracy = sums[1] / total;
        else if (const double spread = sums[4] - sums[3] * sums[3] / total; spread > 1e-12 * sums[4])
            result.r_squared = 1 - sums[2] / spread;
        return result;
    }

    /// The same for rows that are loaded already.
    template <class Matrix> gamut::predictions predict_rows(const data::dataset<Matrix>& rows) const {
        gamut::predictions result;
        gamut::communicator::agree(communicator, [&] { result = predict_rows_here(rows); });
        return result;
    }

private:
    /// A program over rows of a dataset, some at a time.
    template <class Matrix, class Program> struct evaluator {
        using U = typename Matrix::value_type;
        static constexpr std::size_t most = 128;
        std::vector<U> weights, statistics;
        backend::program_run_for<U, Program> run;
        data::gathered_rows<Matrix> gathered;
        evaluator(const fitted_network& fit, const data::dataset<Matrix>& rows, const Program& program)
            : weights(fit.weights.begin(), fit.weights.end()),
              statistics(fit.statistics.begin(), fit.statistics.end()),
              run(program, fit.blocks, rows.columns(), most),
              gathered(rows, fit.scaling, most) {}
        /// f(first row, run, loss) for rows begin <= i < end.
        template <class F> void each(std::size_t begin, std::size_t end, U share, const F& f) {
            for (std::size_t i = begin; i < end; i += most) {
                auto rows = gathered(i, std::min(most, end - i));
                rows.share = share;
                if (!statistics.empty()) rows.statistics = statistics.data();
                f(i, run, run.forward(rows, run.all(), run.flat(weights.data())));
            }
        }
    };

    data::request request(bool labels) const {
        data::request wanted;
        wanted.classification = !classes.empty();
        wanted.labels = labels;
        wanted.features = features;
        wanted.classes = classes;
        wanted.label = label;
        return wanted;
    }
    template <class Matrix> gamut::predictions predict_rows_here(const data::dataset<Matrix>& rows) const {
        using U = typename Matrix::value_type;
        gamut::predictions result{rows.local_rows(), outputs, rows.first_row, {}, classes};
        result.values.resize(result.rows * outputs);
        evaluator<Matrix, decltype(model.prediction_program(0))> made(*this, rows,
                                                                      model.prediction_program(features.size()));
        made.each(0, result.rows, U(1), [&](std::size_t first, const auto& run, double) {
            const auto& t = run.result();
            for (std::size_t i = 0; i < std::min(made.most, result.rows - first); ++i)
                for (std::size_t k = 0; k < outputs; ++k)
                    result.values[(first + i) * outputs + k] = static_cast<double>(t.values[i * t.stride + k]);
        });
        return result;
    }
};

/// Without network_file.hpp: says so.
template <class Model, class T, class C, class... None>
void save(const fitted_network<Model, T, C>&, const std::string&, const None&...) {
    static_assert(sizeof...(None) > 0 && sizeof(Model) == 0,
                  "save: include <gamut/network_file.hpp> for networks as files");
}

}  // namespace gamut
