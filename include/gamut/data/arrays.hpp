// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/array_input.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/csv_cell.hpp>
#include <gamut/data/detail/labels.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::data {

/// Data that are in memory already: rows of features, a label per row (numbers, or for classification any text), and
/// sample weights if rows count differently. All ranks bring the same, complete data; each keeps its share.
///     data::arrays source(x, y);                      // x: xt::xtensor<double, 2>, dense_matrix or sparse_matrix
///     data::arrays source(x, y, weights);             // y, weights: std::vector, xt::xtensor<T, 1>, ...
///     data::arrays source(values, rows, columns, y);  // values: std::vector<double>, row by row
/// Copies what it gets, once, however often the source is copied; not a matrix of the backend's that is moved in, or borrowed (see
/// shared_vector). Datasets read that copy and keep all of it alive, on every rank, unless only some of the rows are wanted.
/// Sizes that don't fit throw shape_error, values that aren't finite data_error: both from `load`, on all ranks.
template <class Matrix> class arrays {
public:
    using matrix_type = Matrix;
    using value_type = typename Matrix::value_type;

    std::vector<std::string> features;  // one name per column; empty: x0, x1, ...
    std::string label = "y", name = "arrays";
    std::vector<double> offsets;  // added to the rows' predictions (before the model's link), one each; empty: none

    template <class Features>
    requires requires(Features&& x) { detail::to_rows(std::forward<Features>(x)); }
    explicit arrays(Features&& x) : content(bundle({detail::to_rows(std::forward<Features>(x)), {}, {}})) {}
    template <class Features, class Labels>
    arrays(Features&& x, const Labels& y)
        : content(bundle({detail::to_rows(std::forward<Features>(x)), {y, "y"}, {}})) {}
    template <class Features, class Labels, class Weights>
    arrays(Features&& x, const Labels& y, const Weights& weights)
        : content(bundle({detail::to_rows(std::forward<Features>(x)), {y, "y"}, {weights, "weights"}, true})) {}
    template <class Values, class Labels>
    arrays(const Values& values, std::size_t rows, std::size_t columns, const Labels& y)
        : content(bundle({detail::to_rows(values, rows, columns), {y, "y"}, {}})) {}
    template <class Values, class Labels, class Weights>
    arrays(const Values& values, std::size_t rows, std::size_t columns, const Labels& y, const Weights& weights)
        : content(bundle({detail::to_rows(values, rows, columns), {y, "y"}, {weights, "weights"}, true})) {}

    template <communicator::Communicator C>
    dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        communicator::agree(ranks, [&] { validate(wanted); });
        const Matrix& x = content->x.matrix;
        const kept_rows kept = detail::choose_rows(ranks, wanted, x.rows, name, "x is empty");

        dataset<matrix_type> result;
        result.partition = data::partition(kept.count(), x.columns, wanted.blocks);
        const range mine =
            result.partition.rows_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
        detail::label_table labels(name, wanted.classes);
        detail::problems problems;
        communicator::agree(ranks, [&] {
            result.x.columns = x.columns;
            result.features = !wanted.features.empty() ? wanted.features
                              : features.empty()       ? detail::generated_names(x.columns)
                                                       : features;
            const range covered = kept.cover(mine);
            if (kept.everything())
                detail::borrow_rows(content, x, mine, result.x);
            else
                detail::reserve_rows(x, mine.size(), result.x);
            for (std::size_t i = covered.begin; i < covered.end; ++i) {
                if (!take_row(i, kept(i), wanted, labels, problems, result) || kept.everything()) continue;
                detail::append_row(x, i, result.x);
            }
        });
        problems.report(ranks);
        if (content->weighted) detail::require_weight(ranks, result.weights, name);
        result.classes = detail::finish_labels(ranks, labels, wanted, kept.source_rows(), result.y);
        result.has_offsets = !offsets.empty();
        result.first_row = mine.begin;
        result.label = label;
        result.source = name;
        return result;
    }

private:
    struct bundle_type {
        detail::feature_rows<Matrix> x;
        detail::value_list y, weights;
        bool weighted = false;
    };
    static std::shared_ptr<const bundle_type> bundle(bundle_type parts) {
        return std::make_shared<const bundle_type>(std::move(parts));
    }

    void validate(const request& wanted) const {
        const auto& [x, y, weights, weighted] = *content;
        const auto fail = [this](const auto&... parts) { throw core::shape_error(core::text(name, ": ", parts...)); };
        for (const auto* trouble : {&x.trouble, &y.trouble, &weights.trouble}) {
            if (!trouble->empty()) fail(*trouble, " check the shapes");
        }
        const std::size_t rows = x.matrix.rows, columns = x.matrix.columns;
        if (wanted.labels && y.size() != rows) fail(y.size(), " labels (x has ", rows, " rows) give one label per row");
        if (weighted && weights.numbers.size() != rows) {
            fail(weights.numbers.size(), " sample weights (x has ", rows, " rows) give one number per row");
        }
        if (!offsets.empty() && offsets.size() != rows)
            fail(offsets.size(), " offsets (x has ", rows, " rows) give one number per row");
        if (columns == 0) fail("no features (x has 0 columns) give it some");
        if (!features.empty() && features.size() != columns) {
            fail(features.size(), " names of features (x has ", columns, " columns) give one name per column");
        }
        if (!wanted.features.empty() && wanted.features.size() != columns) {
            fail("x has ", columns, " columns (the model has ", wanted.features.size(),
                 " features) give it the same columns");
        }
        for (std::size_t j = 0; j < features.size() && j < wanted.features.size(); ++j) {
            if (features[j] == wanted.features[j]) continue;
            fail("column ", j, " is ", detail::in_quotes(features[j]), " (the model has ",
                 detail::in_quotes(wanted.features[j]), " there) give it the same columns in the same order");
        }
        check_names();
        if (wanted.labels && !wanted.classification && !y.texts.empty()) {
            throw core::data_error(core::text(name, ": label ", detail::in_quotes(y.texts[0]),
                                              " is text (this is a regression) ",
                                              "give numbers, or choose a classification model"));
        }
    }

    static bool is_finite(double value) { return std::isfinite(static_cast<value_type>(value)); }
    static std::string why_not_finite(double value) {
        return std::isfinite(value) ? " (a float holds at most 3.40282e+38) use double, or scale it"
                                    : " (values must be finite) replace it, or drop the row";
    }

    /// Names get into messages and model files, which are UTF-8, and name one column each.
    void check_names() const {
        std::unordered_set<std::string_view> seen;
        for (std::size_t j = 0; j <= features.size(); ++j) {
            const std::string& text = j < features.size() ? features[j] : label;
            if (!core::is_utf8(text))
                throw core::data_error(core::text(name, ": ",
                                                  j < features.size() ? "name of a feature " : "name of the label ",
                                                  detail::in_quotes(text), " is not UTF-8 (Latin-1?) convert it"));
            if (j < features.size() && !seen.insert(text).second)
                throw core::data_error(core::text(name, ": two features are named ", detail::in_quotes(text),
                                                  " (the second is column ", j, ") rename one"));
        }
    }

    /// Everything of a row but its features; whether it is one of those to keep.
    bool take_row(std::size_t i, bool keep, const request& wanted, detail::label_table& labels,
                  detail::problems& problems, dataset<matrix_type>& to) const {
        const auto& [x, y, weights, weighted] = *content;
        if (!detail::check_row(x.matrix, i, name, problems)) return false;
        value_type number{};
        if (wanted.labels) {
            if (y.texts.empty() && !(wanted.classification ? std::isfinite(y.numbers[i]) : is_finite(y.numbers[i])))
                return problems.add(name, ": y(", i, ") is ", y.numbers[i], why_not_finite(y.numbers[i]));
            if (wanted.classification) {
                const std::string text = y.name(i);
                if (!y.texts.empty() && detail::is_missing(text, true))
                    return problems.add(name, ": y(", i, "): missing value ", detail::in_quotes(text),
                                        " (every row needs a label) fill it in, or drop the row");
                const std::size_t id = labels.id(text);
                if (id >= detail::label_table::not_utf8)
                    return problems.add(name, ": y(", i, "): ", labels.refused_label(id, text));
                number = static_cast<value_type>(id);
            } else {
                number = static_cast<value_type>(y.numbers[i]);
            }
        }
        if (weighted && weights.numbers[i] >= 0 && !is_finite(weights.numbers[i]) && std::isfinite(weights.numbers[i]))
            return problems.add(name, ": weight ", i, " is ", weights.numbers[i], why_not_finite(weights.numbers[i]));
        if (weighted && !(weights.numbers[i] >= 0 && std::isfinite(weights.numbers[i]))) {
            return problems.add(name, ": weight ", i, " is ", weights.numbers[i],
                                " (a row counts 0 times or more) correct it, or drop the row");
        }
        if (!offsets.empty() && !is_finite(offsets[i]))
            return problems.add(name, ": offset ", i, " is ", offsets[i], why_not_finite(offsets[i]));
        if (!keep) return false;
        if (wanted.labels) to.y.push_back(number);
        if (weighted) to.weights.push_back(static_cast<value_type>(weights.numbers[i]));
        if (!offsets.empty()) to.offsets.push_back(static_cast<value_type>(offsets[i]));
        return true;
    }

    std::shared_ptr<const bundle_type> content;
};

namespace detail {

template <class... Features> using matrix_of = decltype(to_rows(std::declval<Features>()...).matrix);

}  // namespace detail

template <class Features>
requires requires(Features&& x) { detail::to_rows(std::forward<Features>(x)); }
arrays(Features&&)->arrays<detail::matrix_of<Features>>;
template <class Features, class Labels> arrays(Features&&, const Labels&) -> arrays<detail::matrix_of<Features>>;
template <class Features, class Labels, class Weights>
arrays(Features&&, const Labels&, const Weights&) -> arrays<detail::matrix_of<Features>>;
template <class Values, class Labels>
arrays(const Values&, std::size_t, std::size_t, const Labels&)
    -> arrays<detail::matrix_of<const Values&, std::size_t, std::size_t>>;
template <class Values, class Labels, class Weights>
arrays(const Values&, std::size_t, std::size_t, const Labels&, const Weights&)
    -> arrays<detail::matrix_of<const Values&, std::size_t, std::size_t>>;

}  // namespace gamut::data
